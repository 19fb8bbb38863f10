"""Lambda's API for durable executions: the runner's web handlers, corrected where they differ."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus
from aws_durable_execution_sdk_python_testing.exceptions import (
    AwsApiException,
    DurableFunctionsLocalRunnerError,
    ResourceNotFoundException,
)
from aws_durable_execution_sdk_python_testing.token import CallbackToken
from aws_durable_execution_sdk_python_testing.web.models import HTTPRequest, HTTPResponse
from aws_durable_execution_sdk_python_testing.web.routes import (
    DEFAULT_ROUTE_TYPES,
    BytesPayloadRoute,
    CallbackFailureRoute,
    CallbackHeartbeatRoute,
    CallbackSuccessRoute,
    GetDurableExecutionHistoryRoute,
    GetDurableExecutionRoute,
    Route,
    Router,
    StopDurableExecutionRoute,
)
from aws_durable_execution_sdk_python_testing.web.server import WebServer
from werkzeug.wrappers import Response

from local.durable import answers
from local.durable.pause import PauseRoute
from local.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

    from local.durable.executions import Executions
    from local.functions import Configuration

_CALLBACKS = (CallbackSuccessRoute, CallbackFailureRoute, CallbackHeartbeatRoute)
# How often, and how soon, a history is asked for again.
_MOST_LOOKS, _LOOK_SECONDS = 100, 0.01


class _Handlers(WebServer):
    """The runner's table of web handlers, without its server."""

    def __init__(self, executions: Executions) -> None:
        self.executor = executions.executor
        self.by_route = self._create_endpoint_handlers()


class DurableApi:
    """Answers requests of boto3 and the AWS CLI about executions and callbacks."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._executor = executions.executor
        self._handlers = _Handlers(executions).by_route
        self._router = Router([PauseRoute, *DEFAULT_ROUTE_TYPES])

    def executions_of(
        self, function: Configuration, qualifier: str | None, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Answer ListDurableExecutionsByFunction."""
        return answers.executions(
            self._executions.all(), self._executor, function, qualifier, asked
        )

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path, _, query = request.environ["REQUEST_URI"].partition("?")
        try:
            route = self._router.find_route(path, request.method)
        except DurableFunctionsLocalRunnerError as error:
            not_found = HTTPStatus.NOT_FOUND
            raise ApiError("UnknownOperationException", str(error), not_found) from error
        if self._is_closed(route):
            raise _callback_closed()
        try:
            answer = self._answer(route, request, parse_qs(query))
        except AwsApiException as error:
            answer = HTTPResponse.create_error_from_exception(error)
        # Another answer may have closed the callback meanwhile; the runner calls that "not found".
        if answer.status_code >= HTTPStatus.BAD_REQUEST and self._is_closed(route):
            raise _callback_closed()
        return _typed(answer)

    def _answer(self, route: Route, request: Request, query: dict[str, list[str]]) -> HTTPResponse:
        if isinstance(route, StopDurableExecutionRoute):
            return self._stop(route.arn, request.get_data())
        if isinstance(route, PauseRoute):
            route.apply(self._executor)
            return HTTPResponse.create_json(HTTPStatus.ACCEPTED, {})
        # In AWS, an absent value means true, and no number of items means the default. The
        # runner takes the opposite.
        with_data = query.setdefault("IncludeExecutionData", ["true"]) == ["true"]
        query = {name: values for name, values in query.items() if values != ["0"]}
        read = (
            HTTPRequest.from_raw_bytes
            if isinstance(route, BytesPayloadRoute)
            else HTTPRequest.from_bytes
        )
        asked = read(
            body_bytes=request.get_data(),
            method=request.method,
            path=route,
            headers=dict(request.headers),
            query_params=query,
        )
        answer = self._handlers[type(route)].handle(route, asked)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            return answer
        if isinstance(route, GetDurableExecutionRoute):
            shown = answers.details(answer.body, route.arn, self._executor, with_data=with_data)
            return HTTPResponse.create_json(HTTPStatus.OK, shown)
        if isinstance(route, GetDurableExecutionHistoryRoute):
            answer = self.whole(answer, lambda: self._handlers[type(route)].handle(route, asked))
            answers.complete_history(answer.body, self._executor.get_execution(route.arn))
        return answer

    @staticmethod
    def whole(answer: HTTPResponse, ask: Callable[[], HTTPResponse]) -> HTTPResponse:
        """Ask for a history again while the runner is in the middle of a write to it."""
        for _ in range(_MOST_LOOKS):
            if answers.is_whole(answer.body):
                break
            # The runner's writer is another thread, and gives no sign when it is done.
            time.sleep(_LOOK_SECONDS)
            answer = ask()
        return answer

    def _stop(self, arn: str, body: bytes) -> HTTPResponse:
        """Stop an execution with the caller's error; the runner's own handler drops that error."""
        given = json.loads(body or b"{}")
        stopped = self._executor.stop_execution(
            arn, ErrorObject.from_dict(given) if given else None
        )
        return HTTPResponse.create_json(HTTPStatus.OK, stopped.to_dict())

    def _is_closed(self, route: Route) -> bool:
        """Whether a callback was answered, has expired, or its execution is over.

        AWS then refuses an answer. The runner takes an answer after a stop, and otherwise does not
        know the callback.
        """
        if not isinstance(route, _CALLBACKS):
            return False
        try:
            arn = CallbackToken.from_str(route.callback_id).execution_arn
            execution = self._executor.get_execution(arn)
        except (ValueError, KeyError, ResourceNotFoundException):
            return False
        _, operation = execution.find_callback_operation(route.callback_id)
        return execution.is_complete or operation.status is not OperationStatus.STARTED


def _typed(answer: HTTPResponse) -> Response:
    """Add the header from which botocore reads the kind of an error."""
    body = answer.body if isinstance(answer.body, dict) else {}
    content = answer.body_to_bytes() if answer.body else b"{}"
    response = Response(content, answer.status_code, answer.headers)
    if answer.status_code >= HTTPStatus.BAD_REQUEST and "Type" in body:
        response.headers["x-amzn-ErrorType"] = body["Type"]
    return response


def _callback_closed() -> ApiError:
    return ApiError("CallbackTimeoutException", "The callback is closed or has expired.")
