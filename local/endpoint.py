"""One address for all of AWS: each request goes to the service that it was signed for."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")


class Endpoint:
    """A server on 127.0.0.1; what no service of its own answers is moto's.

    Attributes:
        url: its address.
        services: by the name that requests are signed for; an answer of None leaves it to moto.
    """

    def __init__(self, port: int = 0) -> None:
        self.services: dict[str, Callable[[Request], Response | None]] = {}
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", port, self._answer, threaded=True, request_handler=_Silent
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.1], daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        request = Request(environ)
        signed = _SERVICE.search(request.headers.get("Authorization", ""))
        service = self.services.get(signed["service"]) if signed else None
        response = service(request) if service else None
        if response is None:
            answer: Iterable[bytes] = self._moto(environ, start)
            return answer
        return response(environ, start)


class _Silent(WSGIRequestHandler):
    """Leaves the log to what matters."""

    def log(self, *_: Any) -> None:  # noqa: ANN401 - the base class's
        """Say nothing of single requests."""
