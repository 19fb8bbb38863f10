"""The way of a call from its caller to the service that answers it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from typing_extensions import override
from werkzeug.wrappers import Request, Response

from local.errors import ApiError
from local.gateway.callers import Callers
from local.gateway.calls import Call, operation
from local.gateway.door import Door
from local.gateway.seams import Seams
from local.gateway.signature import Signature
from local.nesting import TOO_DEEP, asks_too_deep

if TYPE_CHECKING:
    from flask import Flask

    from local.gateway.callers import Caller

# Their bodies are kept as they come, and read by nobody.
_KEEPING = frozenset({"s3"})
_PAGES = frozenset({"instance_metadata", "moto_api"})
# Raises ApiError for what a caller may not do.
Authorize = Callable[["Caller", Request, Call], None]
# Answers an operation with a response or what to write as JSON; None leaves it to moto.
Service = Callable[[Request, str], Response | dict[str, Any] | None]


class Gateway:
    """Gives each request to the service that it was signed for.

    Args:
        on_call: takes each call of a function or a worker.

    Attributes:
        callers: the processes that the local system has started.
        seams: what is to go wrong.
        services: by the name that requests are signed for.
        authorize: raises ApiError for what a caller's role does not allow; until it is set, only
            people are let in.
    """

    def __init__(self, on_call: Callable[[Call], None]) -> None:
        self.callers, self.seams = Callers(), Seams()
        self.services: dict[str, Service] = {}
        self.authorize: Authorize = _only_people
        self._on_call, self._door = on_call, Door(self.callers)
        self._moto = _Moto(create_backend_app)

    def answer(self, environ: dict[str, Any], caller: Caller | None = None) -> Response:
        """Answer a request.

        Args:
            environ: of WSGI.
            caller: who asks; None for a request from a socket, which has to show it.

        Raises:
            ConnectionResetError: the caller is to get no answer.
        """
        request = Request(environ)
        signature = Signature.of(request)
        service = signature.service if signature else ""
        try:
            caller = caller or self._door.admit(request, signature)
        except ApiError as error:
            return error.answer(request.mimetype, service)
        body = request.get_data()
        # moto reads it once more.
        environ["wsgi.input"] = BytesIO(body)
        asks = operation(request, service)
        call = Call(caller.name, caller.execution_id, service, asks, caller.count())
        if not caller.is_person:
            self._on_call(call)
        asked = f"{unquote(environ['REQUEST_URI'])} {body.decode(errors='replace')}"
        fault = self.seams.fault(call, asked)

        def serve() -> Response:
            return self._serve(request, call, caller)

        try:
            answer = fault.apply(serve, caller) if fault else serve()
        except ApiError as error:
            answer = error.answer(request.mimetype, service)
        # Each answer of AWS's has one: it is how a proxy's is told from it.
        answer.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return answer

    def _serve(self, request: Request, call: Call, caller: Caller) -> Response:
        ours = self.services.get(call.service)
        if call.service not in _KEEPING and asks_too_deep(request):
            raise _too_deep()
        try:
            self.authorize(caller, request, call)
            answer = ours(request, call.operation) if ours else None
        except RecursionError as error:
            # Not every request says that it is JSON.
            raise _too_deep() from error
        if isinstance(answer, Response):
            return answer
        if answer is not None:
            text = json.dumps(answer, default=datetime.timestamp)
            return Response(text, mimetype="application/json")
        # It may wait for a message that only another request sends.
        with nullcontext() if call.operation == "ReceiveMessage" else self.seams.alone:
            response = Response.from_app(self._moto, request.environ, buffered=True)
        # moto lets the pages of everybody read what it answers.
        response.headers.remove("Access-Control-Allow-Origin")
        return response


def _only_people(caller: Caller, _: Request, __: Call) -> None:
    if not caller.is_person:
        raise ApiError("AccessDeniedException", "Nobody has granted anything yet.")


class _Moto(DomainDispatcherApplication):
    """moto's application, which reads once from the disk and its patterns who answers a host.

    It has none of moto's own pages, which show and reset all, and none of an instance's.
    """

    def __init__(self, create_app: Callable[..., Flask]) -> None:
        super().__init__(create_app)
        self._backends: dict[str | None, Any] = {}

    @override
    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve a request as the operation that its target names, whatever else looks like one."""
        if "HTTP_X_AMZ_TARGET" in environ:
            # moto would take an `Action=` of the query, or between two `&` of the body, for the
            # operation. JSON has `&` in texts only.
            body = environ["wsgi.input"].read().replace(b"&", rb"\u0026")
            sent = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
            environ = {**environ, **sent, "QUERY_STRING": ""}
        return super().__call__(environ, start_response)

    @override
    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the backend that answers a host.

        Raises:
            ApiError: a page is asked for that is none of AWS's.
        """
        if host in _PAGES:
            raise ApiError("AccessDeniedException", "There is no such page.", HTTPStatus.FORBIDDEN)
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]

    @override
    def infer_service_region_host(self, environ: dict[str, Any], path: str) -> str | None:
        """Return the host for which a request is signed; a presigned URL is S3's."""
        if "HTTP_AUTHORIZATION" not in environ:
            return "s3.us-east-1.amazonaws.com"
        return super().infer_service_region_host(environ, path)


def _too_deep() -> ApiError:
    return ApiError("SerializationException", TOO_DEEP)
