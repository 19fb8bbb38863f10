"""Lambda's Runtime API for one process of a function; no other program gets an answer.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import psutil

from local.functions.sandbox import Answer
from local.pages import strange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from socket import socket

_SHUTDOWN_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event on its way to the process.

    Attributes:
        given: request id, ARN and trace, under the Runtime API's names.
        timeout: the function's timeout, in seconds.
        taken: set when the process has taken it.
    """

    event: bytes
    given: Mapping[str, str]
    timeout: float
    taken: threading.Event = field(default_factory=threading.Event)

    def headers(self) -> dict[str, str]:
        """Return all headers; the timeout counts from now, not from before a cold start."""
        deadline = int((time.time() + self.timeout) * 1000)
        return {**self.given, "Lambda-Runtime-Deadline-Ms": str(deadline)}


class RuntimeApi(ThreadingHTTPServer):
    """The Runtime API for one process, on a port of its own.

    Attributes:
        process: the id of that process, once it is started; another process gets no answer.
        invocations: the next invocations of the process; None closes its connection.
        answers: the answers of the process.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.process: Future[int] = Future()
        self.invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        threading.Thread(target=self.serve_forever, args=[_SHUTDOWN_POLL], daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, for AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Log nothing of a process that was killed before it had its answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Let the process go and give the port back."""
        self.invocations.put(None)
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """invocation/next, invocation/ID/response, invocation/ID/error and init/error."""

    server: RuntimeApi
    disable_nagle_algorithm = True
    # The process keeps its connection, so the owner of the connection is checked once.
    protocol_version = "HTTP/1.1"

    def parse_request(self) -> bool:
        """Read a request; return False if it is to get no answer."""
        if not super().parse_request():
            return False
        why = strange(self.headers["Host"], self.headers, [self.server.address])
        if why is None and self._is_of_process:
            return True
        text = why or "It comes from another process than the function's."
        error = {"errorType": "Forbidden", "errorMessage": text}
        body = json.dumps(error).encode()
        self._respond(HTTPStatus.FORBIDDEN, body, {"Connection": "close"})
        return False

    @cached_property
    def _is_of_process(self) -> bool:
        # The runtime client takes an address but no secret, so the connection's owner is checked.
        return _holds(self.server.process.result(), self.client_address)

    def do_GET(self) -> None:
        """Answer with the next invocation, as soon as there is one."""
        invocation = self.server.invocations.get()
        if invocation is None:
            self.close_connection = True
            return
        self._respond(HTTPStatus.OK, invocation.event, invocation.headers())
        invocation.taken.set()

    def do_POST(self) -> None:
        """Take an answer."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("The process was killed while it sent its answer")
        failed = self.path.endswith("/error")
        self.server.answers.put(Answer(body, "Unhandled" if failed else None))
        self._respond(HTTPStatus.ACCEPTED, b"{}", {})

    def _respond(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: each invocation is in the journal."""


def _holds(pid: int, address: tuple[str, int]) -> bool:
    """Whether a connection from an address is a process's."""
    with suppress(psutil.NoSuchProcess):
        connections = psutil.Process(pid).net_connections("tcp4")
        return any(connection.laddr == address for connection in connections)
    return False
