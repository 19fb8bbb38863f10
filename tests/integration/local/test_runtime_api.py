from __future__ import annotations

import os
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from local.functions import runtime_api
from local.functions.runtime_api import Invocation, RuntimeApi
from tests.integration.local.strangers import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[[str, str], None]

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[RuntimeApi]:
    """The API of a process that was alive when it was looked at whose the connection is."""
    monkeypatch.setattr(runtime_api, "_holds", lambda *_: True)
    api = RuntimeApi()
    api.process.set_result(0)
    yield api
    api.close()


@pytest.fixture
def ask_and_die(api: RuntimeApi) -> Iterator[Ask]:
    """Serve a request of a process that is killed before it has its answer."""
    api.invocations.put(Invocation(b"{}", {}, 1))
    listener = socket.create_server(("127.0.0.1", 0))

    def ask(request: str, header: str) -> None:
        process = socket.create_connection(listener.getsockname())
        connection, address = listener.accept()
        process.sendall(_written(api, request, header))
        # A killed process's connection is reset if there is anything that it had not read.
        process.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        process.close()
        api.process_request_thread(connection, address)

    yield ask
    listener.close()


def _written(api: RuntimeApi, request: str, header: str) -> bytes:
    return f"{request} HTTP/1.1\r\nHost: {api.address}\r\n{header}\r\n".encode()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_process_that_is_gone(
    ask_and_die: Ask, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process that was killed before it had its answer is no error of the local system."""
    ask_and_die(f"{method} /2018-06-01/runtime/", "")
    assert capsys.readouterr().err == ""


def test_half_an_answer(api: RuntimeApi, capsys: pytest.CaptureFixture[str]) -> None:
    """A process that was killed while it sent its answer has given none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = socket.create_connection(listener.getsockname())
        connection, address = listener.accept()
        request = _written(api, "POST /response", "Content-Length: 20\r\n")
        process.sendall(request + b'{"answer":')
        process.close()
        api.process_request_thread(connection, address)
    assert api.answers.empty()
    assert capsys.readouterr().err == ""


def test_other_errors(ask_and_die: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of the Runtime API itself is logged."""
    ask_and_die("POST /", "Content-Length: many\r\n")
    assert "invalid literal for int" in capsys.readouterr().err


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://page.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "page.example:80"},
        {"Host": "localhost"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_page(api: RuntimeApi, method: str, headers: dict[str, str]) -> None:
    """A web page gets no event, and forges no answer, whatever process its browser is."""
    api.invocations.put(Invocation(b"{}", {}, 1))
    asked = Asked(f"http://{api.address}/2018-06-01/runtime/x", method, headers, "{}")
    assert asked.send().status == HTTPStatus.FORBIDDEN
    assert api.answers.empty()
    assert not api.invocations.empty()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_process(method: str) -> None:
    """No process but an API's own gets its events, or answers them."""
    own, other = RuntimeApi(), RuntimeApi()
    own.process.set_result(os.getpid())
    # The one that started it.
    other.process.set_result(os.getppid())
    seen = []
    for api in (own, other):
        api.invocations.put(Invocation(b"{}", {}, 1))
        asked = Asked(f"http://{api.address}/2018-06-01/runtime/x", method, {}, "{}")
        seen.append(asked.send().status == HTTPStatus.FORBIDDEN)
    assert seen == [False, True]
    assert other.answers.empty()
    own.close()
    other.close()
