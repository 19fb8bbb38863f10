"""The way of a botocore request to the gateway without a socket."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.request import Request

from local.inprocess.identity import KilledError, current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.loaders import Loader

    from local.gateway import Gateway

_CHECKPOINT = re.compile(r"/durable-executions/[^/]+/(checkpoint|state)$")


@cache
def _descriptions() -> Loader:
    """Return AWS's descriptions of its services; they are read once."""
    loader: Loader = botocore.session.get_session().get_component("data_loader")
    return loader


class Transport:
    """Brings the requests of a session's clients to gateways of this process.

    Attributes:
        session: the boto3 session; a request to another endpoint takes its usual way.
    """

    def __init__(self, region: str | None = None) -> None:
        self._gateways: dict[str, Gateway] = {}
        session = botocore.session.get_session()
        session.register_component("data_loader", _descriptions())
        session.register("before-send", self._send)
        self.session = boto3.Session(region_name=region, botocore_session=session)

    @contextmanager
    def reaching(self, endpoint: str, gateway: Gateway) -> Iterator[None]:
        """Let the requests to an endpoint go straight to its gateway."""
        self._gateways[endpoint] = gateway
        try:
            yield
        finally:
            del self._gateways[endpoint]

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        """Answer a request; None lets it take its usual way."""
        parts = urlsplit(request.url)
        gateway = self._gateways.get(f"{parts.scheme}://{parts.netloc}")
        if gateway is None:
            return None
        caller = current.get()
        if caller and caller.is_dead:
            raise _end(parts.path)
        # AWS serves a request for itself, also on threads that it starts.
        asking = current.set(None)
        try:
            response = gateway.answer(_environ(request), caller or gateway.callers.person)
        except ConnectionResetError as error:
            if caller and caller.is_dead:
                raise _end(parts.path) from error
            raise ConnectionClosedError(endpoint_url=request.url) from error
        finally:
            current.reset(asking)
        body = MockRawResponse(response.get_data())
        return AWSResponse(request.url, response.status_code, dict(response.headers), body)


def _end(path: str) -> BaseException:
    """Return the error that ends a thread of a dead caller."""
    # The SDK's threads wait for the one that sends their checkpoints. If that one fails with an
    # `Exception`, it wakes them, and they end too.
    return RuntimeError("The caller was killed") if _CHECKPOINT.search(path) else KilledError()


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    body = request.body.read() if hasattr(request.body, "read") else request.body
    made = Request.from_primitives(request.method, request.url, request.headers, body)
    # The raw path and query, as a server has them.
    parts = urlsplit(request.url)
    made.environ["REQUEST_URI"] = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return made.environ
