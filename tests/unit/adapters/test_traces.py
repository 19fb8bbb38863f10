from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import boto3
import pytest

from adapters import traces
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

SEGMENT = {"id": "0123456789abcdef", "name": "task"}


class XRay(BaseHTTPRequestHandler):
    """Answers as a test wants, byte by byte where it is to be slow.

    Attributes:
        body: of the answer.
        goes_on: is set once nobody waits for the rest of a slow answer; None for a prompt one.
    """

    body: ClassVar[bytes]
    goes_on: ClassVar[threading.Event | None]

    def do_POST(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.goes_on is None:
            self.wfile.write(self.body)
            return
        for byte in self.body:
            if self.goes_on.wait(0.05):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering(
    monkeypatch: pytest.MonkeyPatch, body: bytes, goes_on: threading.Event | None = None
) -> Iterator[None]:
    """Provide an X-Ray with one answer."""
    monkeypatch.setattr(XRay, "body", body, raising=False)
    monkeypatch.setattr(XRay, "goes_on", goes_on, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), XRay)
    xray = boto3.client(
        "xray",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nobody checks it
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        config=traces.BRIEFLY,
    )
    monkeypatch.setattr(traces, "client", lambda *_: xray)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield
    finally:
        server.shutdown()
        serving.join(PATIENCE)
        server.server_close()


def test_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that X-Ray takes has no refusal."""
    with answering(monkeypatch, b"{}"):
        assert traces.send(SEGMENT) is None


@pytest.mark.parametrize("body", [b"[1]", b'{"UnprocessedTraceSegments": "all"}'])
def test_answer_that_nobody_can_read(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """An answer that is not X-Ray's is a refusal, and no error."""
    with answering(monkeypatch, body):
        assert traces.send(SEGMENT)


def test_answer_that_comes_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment is waited for some seconds at most, however long its answer goes on."""
    monkeypatch.setattr(traces, "_LONGEST_SECONDS", 0.2)
    is_left = threading.Event()
    with answering(monkeypatch, b"{}".rjust(1_000), is_left):
        refusal = traces.send(SEGMENT)
        # Only the sender's own limit says so.
        assert refusal == "no answer within 0.2 s"
        is_left.set()
