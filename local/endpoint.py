"""The one address at which all of AWS answers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import WSGIRequestHandler, make_server

from local.port import listen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from local.gateway import Gateway


class Endpoint:
    """A server on 127.0.0.1.

    Attributes:
        url: its address.
    """

    def __init__(self, gateway: Gateway, port: int = 0) -> None:
        self._gateway = gateway
        # werkzeug would end the process if the port is taken, so it gets a socket, which it copies.
        with listen(port) as listening:
            host, port = listening.getsockname()
            self._server = make_server(
                host,
                port,
                self._answer,
                threaded=True,
                request_handler=_Silent,
                fd=listening.fileno(),
            )
        self.url = f"http://{host}:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.1], daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        try:
            return self._gateway.answer(environ)(environ, start)
        except ClientDisconnected as gone:
            # A client that ended or timed out in the middle of its request reads no answer.
            return gone.get_response(environ)(environ, start)


class _Silent(WSGIRequestHandler):
    """Handles requests without log lines."""

    def connection_dropped(self, *_: object) -> None:
        """Close the connection without an answer, as after a ConnectionResetError."""
        self.close_connection = True

    def log(self, *_: object) -> None:
        """Log nothing of single requests."""
