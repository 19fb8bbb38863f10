"""Lambda's API: Invoke here, durable executions by the runner."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from werkzeug.wrappers import Response

from local.durable import AlreadyStartedError
from local.errors import refusal
from local.functions.configuration import LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

    from local.durable import DurableApi, Executions
    from local.functions import Function
    from local.functions.asynchronous import AsynchronousInvocations

_INVOKE = re.compile(r"/2015-03-31/functions/(?P<function>[^/]+)/invocations")
_NAME = re.compile(r"(?:.*:function:)?(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[$A-Za-z0-9_-]+))?")
_LONGEST_SYNCHRONOUS = 900


class LambdaApi:
    """Answers Lambda's API for the stack's functions."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        executions: Executions,
        durable: DurableApi,
        asynchronous: AsynchronousInvocations,
    ) -> None:
        self._functions = functions
        self._executions = executions
        self._durable = durable
        self._asynchronous = asynchronous

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        invoke = _INVOKE.fullmatch(request.environ["REQUEST_URI"].partition("?")[0])
        if not invoke:
            return self._durable(request)
        named = _NAME.fullmatch(unquote(invoke["function"]))
        function = self._functions.get(named["name"]) if named else None
        qualifier = request.args.get("Qualifier") or (named and named["qualifier"])
        if function is None or (qualifier and not function.configuration.version(qualifier)):
            return refusal(
                HTTPStatus.NOT_FOUND,
                "ResourceNotFoundException",
                f"Function not found: {unquote(invoke['function'])}:{qualifier or LATEST}",
            )
        if function.configuration.execution_timeout is None:
            return self._invoke(function, qualifier or LATEST, request)
        return self._start(function, qualifier, request)

    def _invoke(self, function: Function, qualifier: str, request: Request) -> Response:
        event = request.get_data() or b"{}"
        if request.headers.get("X-Amz-Invocation-Type") == "Event":
            self._asynchronous.accept(function, event, qualifier)
            return Response(status=HTTPStatus.ACCEPTED)
        _, answer = function.invoke(event, qualifier)
        headers = {"X-Amz-Executed-Version": function.configuration.version(qualifier) or ""}
        if answer.error:
            headers["X-Amz-Function-Error"] = answer.error
        return Response(answer.payload, HTTPStatus.OK, headers)

    def _start(self, function: Function, qualifier: str | None, request: Request) -> Response:
        """Start a durable execution."""
        configuration = function.configuration
        version = configuration.version(qualifier or "")
        if version is None:
            return _invalid("You cannot invoke a durable function using an unqualified ARN.")
        if (
            request.headers.get("X-Amz-Invocation-Type") != "Event"
            and (configuration.execution_timeout or 0) > _LONGEST_SYNCHRONOUS
        ):
            return _invalid(
                "You cannot synchronously invoke a durable function with an executionTimeout "
                "greater than 15 minutes."
            )
        name = request.headers.get("X-Amz-Durable-Execution-Name")
        try:
            arn = self._executions.start(function, version, request.get_data() or b"{}", name)
        except AlreadyStartedError as error:
            return refusal(
                HTTPStatus.CONFLICT, "DurableExecutionAlreadyStartedException", str(error)
            )
        return Response(
            status=HTTPStatus.ACCEPTED,
            headers={"X-Amz-Durable-Execution-Arn": arn, "X-Amz-Executed-Version": version},
        )


def _invalid(message: str) -> Response:
    return refusal(HTTPStatus.BAD_REQUEST, "InvalidParameterValueException", message)
