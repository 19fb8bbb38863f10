from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from local.functions.runtime_api import Invocation, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[[bytes], None]

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def ask_and_die() -> Iterator[Ask]:
    """Serve a request of a process that is killed before it has its answer."""
    api = RuntimeApi()
    api.invocations.put(Invocation(b"{}", {}, 1))
    listener = socket.create_server(("127.0.0.1", 0))

    def ask(request: bytes) -> None:
        process = socket.create_connection(listener.getsockname())
        connection, address = listener.accept()
        process.sendall(request)
        # A killed process's connection is reset if there is anything that it had not read.
        process.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        process.close()
        api.process_request_thread(connection, address)

    yield ask
    listener.close()
    api.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_process_that_is_gone(
    ask_and_die: Ask, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process that was killed before it had its answer is no error of the local system."""
    ask_and_die(f"{method} /2018-06-01/runtime/ HTTP/1.1\r\n\r\n".encode())
    assert capsys.readouterr().err == ""


def test_half_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """A process that was killed while it sent its answer has given none."""
    api = RuntimeApi()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = socket.create_connection(listener.getsockname())
        connection, address = listener.accept()
        process.sendall(b'POST /response HTTP/1.1\r\nContent-Length: 20\r\n\r\n{"answer":')
        process.close()
        api.process_request_thread(connection, address)
    api.close()
    assert api.answers.empty()
    assert capsys.readouterr().err == ""


def test_other_errors(ask_and_die: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of the Runtime API itself is told."""
    ask_and_die(b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
    assert "invalid literal for int" in capsys.readouterr().err
