"""Invoke: synchronous or asynchronous, for plain and durable functions."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from local.durable.start import start_of
from local.errors import ApiError
from local.functions.configuration import LATEST, UNQUALIFIED
from local.nesting import read
from local.xray.trace import HEADER

if TYPE_CHECKING:
    from local.durable import Executions
    from local.functions import Answer, Configuration, Function
    from local.functions.asynchronous import AsynchronousInvocations
    from local.lambda_request import ApiRequest
    from local.xray import Trace

_LONGEST_SYNCHRONOUS = 900
_MEBIBYTE = 2**20
_LARGEST_PAYLOAD = {"Event": _MEBIBYTE, "RequestResponse": 6 * _MEBIBYTE, "DryRun": 6 * _MEBIBYTE}


class Invocations:
    """Invokes functions."""

    def __init__(self, executions: Executions, asynchronous: AsynchronousInvocations) -> None:
        self._executions = executions
        self._asynchronous = asynchronous

    def invoke(self, function: Function, qualifier: str | None, asked: ApiRequest) -> Response:
        """Answer Invoke.

        Raises:
            ApiError: AWS would refuse the request.
        """
        configuration = function.configuration
        kind = asked.parameters.get("InvocationType", "RequestResponse")
        event = _event(asked.http.get_data(), kind)
        if configuration.execution_timeout is not None:
            _check_durable(configuration, qualifier, kind)
        version = configuration.version(qualifier or LATEST) or ""
        header = asked.http.headers.get(HEADER)
        headers = {"X-Amz-Executed-Version": version}
        if kind == "DryRun":
            return Response(status=HTTPStatus.NO_CONTENT, headers=headers)
        if configuration.execution_timeout is not None:
            return self._start(function, version, event, asked, function.trace(header))
        if kind == "Event":
            self._asynchronous.accept(function, event, qualifier or LATEST, header)
            return Response(status=HTTPStatus.ACCEPTED)
        _, answer = function.invoke(event, qualifier or LATEST, function.trace(header))
        return _answered(answer, headers)

    def _start(
        self, function: Function, version: str, event: bytes, asked: ApiRequest, trace: Trace
    ) -> Response:
        """Start a durable execution, and wait for its end if the caller does."""
        name = asked.parameters.get("DurableExecutionName")
        waits = asked.parameters.get("InvocationType") != "Event"
        started = start_of(function.configuration, version, event.decode(), trace, name)
        arn = self._executions.start(started, synchronous=waits)
        headers = {"X-Amz-Durable-Execution-Arn": arn, "X-Amz-Executed-Version": version}
        if not waits:
            return Response(status=HTTPStatus.ACCEPTED, headers=headers)
        return _answered(self._executions.outcome(arn), headers)


def _event(body: bytes, kind: str) -> bytes:
    """Return the payload; a missing one is an empty object.

    Raises:
        ApiError: the payload is too large, no JSON, or nested too deeply.
    """
    if len(body) > _LARGEST_PAYLOAD[kind]:
        large = f"{len(body)} byte payload is too large for the {kind} invocation type"
        limit = f"(limit {_LARGEST_PAYLOAD[kind]} bytes)"
        too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raise ApiError("RequestTooLargeException", f"{large} {limit}", too_large)
    try:
        read(body or b"{}")
    except ValueError as error:
        unread = f"Could not parse request body into json: {error}"
        raise ApiError("InvalidRequestContentException", unread) from error
    return body or b"{}"


def _check_durable(configuration: Configuration, qualifier: str | None, kind: str) -> None:
    if qualifier is None:
        raise _invalid(UNQUALIFIED)
    if kind != "Event" and (configuration.execution_timeout or 0) > _LONGEST_SYNCHRONOUS:
        raise _invalid(
            "You cannot synchronously invoke a durable function with an executionTimeout greater "
            "than 15 minutes."
        )


def _answered(answer: Answer, headers: dict[str, str]) -> Response:
    failed = {"X-Amz-Function-Error": answer.error} if answer.error else {}
    return Response(answer.payload, HTTPStatus.OK, headers | failed, mimetype="application/json")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
