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

# The bodies of these services are stored as they come, and not read.
_KEEPING = frozenset({"s3"})
_PAGES = frozenset({"instance_metadata", "moto_api"})
# Raises ApiError for a call that the caller may not make.
Authorize = Callable[["Caller", Request, Call], None]
# Answers an operation with a response or a value for JSON; None leaves it to moto.
Service = Callable[[Request, str], Response | dict[str, Any] | None]


class Gateway:
    """Gives each request to the service in its signature.

    Args:
        on_call: takes each call of a function or a worker.

    Attributes:
        callers: the processes that the local system has started.
        seams: the faults to come.
        services: services by the name in signatures.
        authorize: raises ApiError for a call that the caller's role does not allow; until it is
            set, only people are let in.
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
            environ: WSGI's environment of the request.
            caller: the caller; None for a request from a socket, whose signature shows it.

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
        # moto reads the body once more.
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
        # Each answer of AWS has a request id, which shows that no proxy gave it.
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
            # A request may not say that its body is JSON.
            raise _too_deep() from error
        if isinstance(answer, Response):
            return answer
        if answer is not None:
            text = json.dumps(answer, default=datetime.timestamp)
            return Response(text, mimetype="application/json")
        # A ReceiveMessage may wait for a message that another request sends.
        with nullcontext() if call.operation == "ReceiveMessage" else self.seams.alone:
            response = Response.from_app(self._moto, request.environ, buffered=True)
        # moto's header lets any web page read the answer.
        response.headers.remove("Access-Control-Allow-Origin")
        return response


def _only_people(caller: Caller, _: Request, __: Call) -> None:
    if not caller.is_person:
        raise ApiError("AccessDeniedException", "Nobody has granted anything yet.")


class _Moto(DomainDispatcherApplication):
    """moto's application, which looks up the backend of a host once.

    It leaves out moto's own pages, which show and reset everything, and an instance's metadata.
    """

    def __init__(self, create_app: Callable[..., Flask]) -> None:
        super().__init__(create_app)
        self._backends: dict[str | None, Any] = {}

    @override
    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve a request as the operation of its target, whatever else looks like an operation."""
        if "HTTP_X_AMZ_TARGET" in environ:
            # moto would take an `Action=` in the query, or between two `&` of the body, as the
            # operation. JSON has `&` only within texts.
            body = environ["wsgi.input"].read().replace(b"&", rb"\u0026")
            sent = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
            environ = {**environ, **sent, "QUERY_STRING": ""}
        return super().__call__(environ, start_response)

    @override
    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the backend that answers a host.

        Raises:
            ApiError: the request is for a page that AWS does not have.
        """
        if host in _PAGES:
            raise ApiError("AccessDeniedException", "There is no such page.", HTTPStatus.FORBIDDEN)
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]

    @override
    def infer_service_region_host(self, environ: dict[str, Any], path: str) -> str | None:
        """Return the host of the service in a request's signature; a presigned URL is S3's."""
        if "HTTP_AUTHORIZATION" not in environ:
            return "s3.us-east-1.amazonaws.com"
        return super().infer_service_region_host(environ, path)


def _too_deep() -> ApiError:
    return ApiError("SerializationException", TOO_DEEP)
