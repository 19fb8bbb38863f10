from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local.functions.runtime_api import Invocation, RuntimeApi
from local.gateway import Gateway
from tests.integration.local.browser import seen_by_page
from tests.integration.local.strangers import Asked, run_task, started

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from werkzeug.wrappers import Response

    from local.system import System

_ALIAS = "rebound.example"


def test_page(system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page in a browser gets no answer but 403, reads nothing of it, and starts no process."""
    answered: list[HTTPStatus] = []
    answer = Gateway.answer

    def listen(gateway: Gateway, environ: dict[str, Any], *caller: Any) -> Response:
        response = answer(gateway, environ, *caller)
        if "Mozilla" in environ.get("HTTP_USER_AGENT", ""):
            answered.append(HTTPStatus(response.status_code))
        return response

    variables = system.variables
    key = variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
    asked = run_task(system)
    signed = asked.signed(*key)
    plain = {"method": "POST", "mode": "no-cors", "body": asked.body}
    port = system.endpoint.rpartition(":")[2]
    api = RuntimeApi()
    api.process.set_result(os.getpid())
    api.invocations.put(Invocation(b"{}", {}, 1))
    runtime = f"http://{api.address}/2018-06-01/runtime/invocation"
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("get", asked.url, {}),
        ("get without asking", asked.url, {"mode": "no-cors"}),
        ("post without asking", asked.url, plain),
        ("post", asked.url, {"method": "POST", "headers": dict(asked.headers), "body": asked.body}),
        ("signed", asked.url, {"method": "POST", "headers": _sent(signed), "body": asked.body}),
        ("moto", f"{asked.url}/moto-api/reset", {"method": "POST", "mode": "no-cors"}),
        # A browser says nothing of a page to a host by another name.
        ("rebound", f"http://{_ALIAS}:{port}/", {"mode": "no-cors"}),
        ("rebound post", f"http://{_ALIAS}:{port}/", plain),
        ("event", f"{runtime}/next", {}),
        ("event without asking", f"{runtime}/next", {"mode": "no-cors"}),
        ("forged answer", f"{runtime}/1/response", plain),
    ]
    monkeypatch.setattr(Gateway, "answer", listen)
    seen = seen_by_page(requests, tmp_path, _ALIAS)
    monkeypatch.undo()
    assert set(seen) == {name for name, _, _ in requests}
    assert set(seen.values()) <= {"refused", "opaque"}
    # Those to the gateway; a browser may ask for more, such as an icon.
    assert len(answered) >= len(requests) - 3
    assert set(answered) == {HTTPStatus.FORBIDDEN}
    assert not started(system, asked)
    assert api.answers.empty()
    assert not api.invocations.empty()
    api.close()


def _sent(signed: Asked) -> dict[str, str]:
    """Return the headers that a page may set."""
    return {name: value for name, value in signed.headers.items() if name.lower() != "host"}
