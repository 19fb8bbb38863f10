from __future__ import annotations

import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from local.clock import Clock, Ticks
from local.functions.process import ProcessSandbox
from local.gateway import Caller
from local.processes import guarded
from tests.integration.local.strangers import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.functions.sandbox import Answer

HEADERS = {
    "Lambda-Runtime-Aws-Request-Id": "00000000-0000-0000-0000-000000000000",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:mine",
    "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], ProcessSandbox]]:
    """Start a function's process from its code."""
    started: list[ProcessSandbox] = []
    ticks = Ticks()
    clock = Clock(1, ticks)
    with guarded() as processes:

        def start(code: str) -> ProcessSandbox:
            (tmp_path / "mine.py").write_text(code)
            environment = {
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "LAMBDA_TASK_ROOT": str(tmp_path),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(tmp_path),
                "_HANDLER": "mine.handler",
            }
            caller = Caller("mine", "Role")
            sandbox = ProcessSandbox(environment, caller, lambda _: None, clock, processes)
            started.append(sandbox)
            return sandbox

        yield start
        for sandbox in started:
            sandbox.close()
    ticks.stop()


def payload(answer: Answer) -> Any:
    """Return what a function answered."""
    return json.loads(answer.payload)


def test_hung_invocation(start: Callable[[str], ProcessSandbox]) -> None:
    """A function that hangs is killed at its timeout, and its invocation fails as in Lambda."""
    sandbox = start("import time\ndef handler(event, context): time.sleep(600)")
    answer = sandbox.invoke(b"{}", HEADERS, 1)
    assert answer.error == "Unhandled"
    assert payload(answer)["errorMessage"] == "Task timed out after 1.00 seconds"
    assert not sandbox.is_alive


def test_too_much_memory(start: Callable[[str], ProcessSandbox]) -> None:
    """A function that takes more memory than it was given is killed, and its invocation fails."""
    sandbox = start(
        "import time\n"
        "def handler(event, context):\n"
        "    held = b'x' * event\n"
        "    time.sleep(600 if event else 0)\n"
    )
    assert sandbox.invoke(b"0", HEADERS, 60).error is None
    answer = sandbox.invoke(str(200 * 2**20).encode(), HEADERS, 60)
    assert payload(answer)["errorType"] == "Runtime.OutOfMemory"
    assert not sandbox.is_alive


def test_time_after_a_cold_start(start: Callable[[str], ProcessSandbox]) -> None:
    """A slow start takes nothing from the time that an invocation has."""
    sandbox = start(
        "import time\ntime.sleep(1)\nstarted = time.time()\n"
        "def handler(event, context):\n"
        "    return context._epoch_deadline_time_in_ms / 1000 - started"
    )
    # The deadline is told in whole milliseconds.
    assert payload(sandbox.invoke(b"{}", HEADERS, 600)) > 600 - 0.001


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import nothing_like_it\n", "Runtime.ImportModuleError"),
        ("def other(event, context): ...\n", "Runtime.HandlerNotFound"),
        ("import os\nos._exit(7)\n", "Runtime.ExitError"),
    ],
    ids=["import", "handler", "exit"],
)
def test_failed_start(start: Callable[[str], ProcessSandbox], code: str, kind: str) -> None:
    """A function that cannot start fails its invocation with the reason."""
    answer = start(code).invoke(b"{}", HEADERS, 10)
    assert (answer.error, payload(answer)["errorType"]) == ("Unhandled", kind)


def test_killed_invocation(start: Callable[[str], ProcessSandbox]) -> None:
    """A process that dies in the middle of an event fails its invocation."""
    sandbox = start("import os\ndef handler(event, context): os.kill(os.getpid(), 9)")
    assert payload(sandbox.invoke(b"{}", HEADERS, 10))["errorType"] == "Runtime.ExitError"
    assert not sandbox.is_alive


def test_function_sees_its_own_code_alone(start: Callable[[str], ProcessSandbox]) -> None:
    """A function has the environment that it was given, and none of this project's modules."""
    sandbox = start(
        "import importlib.util, os\n"
        "def handler(event, context):\n"
        "    seen = [m for m in ('local', 'tests') if importlib.util.find_spec(m)]\n"
        "    return {'modules': seen, 'names': sorted(os.environ), 'at': os.getcwd()}"
    )
    seen = payload(sandbox.invoke(b"{}", HEADERS, 10))
    assert seen["modules"] == []
    given = {
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "LAMBDA_TASK_ROOT",
        "PATH",
        "PYTHONPATH",
    }
    assert given <= set(seen["names"])
    assert not {"HOME", "USER", "AWS_PROFILE"} & set(seen["names"])


def test_forged_answer(start: Callable[[str], ProcessSandbox]) -> None:
    """A function's answer is its own, whatever another program posts to its Runtime API."""
    sandbox = start("import os\ndef handler(*_): return os.environ['AWS_LAMBDA_RUNTIME_API']")
    address = payload(sandbox.invoke(b"{}", HEADERS, 60))
    for what in ("init/error", "invocation/1/response", "invocation/1/error"):
        forged = Asked(f"http://{address}/2018-06-01/runtime/{what}", "POST", {}, '"forged"')
        assert forged.send().status == HTTPStatus.FORBIDDEN
        assert payload(sandbox.invoke(b"{}", HEADERS, 60)) == address
