from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from scripts.preflight.__main__ import main
from scripts.preflight.account import Reader
from tests.unit.preflight.facts import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

# As IAM says that there is no such role.
NO_ROLE = "<Response><Error><Code>NoSuchEntity</Code></Error><RequestId>7</RequestId></Response>"
PAGE = "<html><body>Sign in</body></html>"


class Proxy(BaseHTTPRequestHandler):
    """Answers everything in AWS's place, with what its server has."""

    def do_POST(self) -> None:
        """Read the request and answer it."""
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(self.server.page.encode())  # type: ignore[attr-defined]

    do_GET = do_POST  # noqa: N815 - the name is the base's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[HTTPServer]:
    """A server on an address of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look under the name `demo`."""
    monkeypatch.setattr("sys.argv", ["preflight", "demo"])


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "You must specify a region"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "Unable to locate credentials"),
        ({"AWS_PROFILE": "nobody"}, "profile (nobody)"),
        ({"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "here"}, "Invalid endpoint"),
    ],
)
def test_nobody_in_particular(
    variables: dict[str, str],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a Region or credentials nothing is checked, and what is missing is named."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    told = capsys.readouterr()
    assert told.err.startswith("AWS cannot be asked: ")
    assert why in told.err
    assert "Nothing was checked" in told.err
    assert not told.out


def test_named_region(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The variable that the message asks to export first for a Region is one that is read."""
    assert main() == 2
    variable, *_ = re.findall(r"AWS_\w*REGION", capsys.readouterr().err)
    monkeypatch.setenv(variable, "eu-west-1")
    assert Reader().region == "eu-west-1"


@pytest.mark.parametrize("arguments", [[], [""], ["one", "two"]])
def test_usage(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Preflight without exactly one stack name says how to give it."""
    monkeypatch.setattr("sys.argv", ["preflight", *arguments])
    assert main() == 2
    assert "make preflight STACK=name" in capsys.readouterr().err


def test_no_network(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Preflight that gets no answer says so with the likely causes, and calls nothing fine."""
    looks_unanswered("http://127.0.0.1:9", "Could not connect", monkeypatch, capsys)


@pytest.mark.parametrize(("status", "page"), [(200, PAGE), (403, PAGE), (200, "[]")])
def test_another_answers(
    status: int,
    page: str,
    proxy: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is called fine, or in the way, if a proxy answers in AWS's place."""
    vars(proxy).update(status=status, page=page)
    url = f"http://127.0.0.1:{proxy.server_port}"
    looks_unanswered(url, "what answered is not AWS", monkeypatch, capsys)


def test_region_that_is_none(
    proxy: HTTPServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Region counts as unknown if only IAM answers, which has one address for all Regions."""
    vars(proxy).update(status=404, page=NO_ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", f"http://127.0.0.1:{proxy.server_port}")
    looks_unanswered("http://127.0.0.1:9", "Could not connect", monkeypatch, capsys)


def looks_unanswered(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Look at an account that is not there: one line says why, and no check is told."""
    nowhere = {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    for name, value in nowhere.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("scripts.preflight.machine.look", lambda _: TOOLS)
    assert main() == 2
    told = capsys.readouterr()
    [heading] = told.out.splitlines()
    assert "us-east-1, account not known" in heading
    [line] = told.err.splitlines()
    assert line.startswith("AWS did not answer, and nothing was checked: is the Region misspelt")
    assert said in line
