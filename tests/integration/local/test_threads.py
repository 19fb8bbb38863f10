from __future__ import annotations

import importlib
import json
import logging
import socket
import subprocess
import sys
import threading
import uuid
from typing import Any

import pytest

from local.clock import Clock, Ticks
from local.endpoint import Endpoint
from local.gateway import Call, Caller
from local.inprocess.sandbox import ThreadSandbox
from local.journal import Line
from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import User
from tests.waiting import PATIENCE, look_again

PROGRAM = """
from local.gateway import Kill
from local.system import System
from tests.e2e.user import User

with System(time_scale=100, durable_scale=100, in_process=True) as system:
    user = User(system)
    for after in (False, True):
        kill = Kill(after=after)
        system.seams.inject(kill, times=2, operation="CheckpointDurableExecution")
        print(user.result(user.start("eventbridge", processingTime=0))["outcome"])
"""


def test_threads_of_a_killed_function_end() -> None:
    """A process whose functions were killed as they sent a checkpoint ends when it is done."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["Succeeded", "Succeeded"]


def test_line_while_another_function_adds_a_key() -> None:
    """A thread's log line is not lost when another thread adds a key to the logger they share."""
    with System(time_scale=100, durable_scale=100, in_process=True) as system:
        user = User(system)
        user.result(user.start("eventbridge", processingTime=0))
        logger = importlib.import_module("adapters.telemetry").logger

        class Value:
            def __bool__(self) -> bool:
                """Add a key, as the formatter is about to write this one."""
                logger.append_keys(another="key")
                return True

        logger.append_keys(value=Value())
        logger.info("Not lost")
        logger.clear_state()
        logger.info("Cleared")
        lines = [json.loads(line.text) for line in system.journal.entries(Line)]
    ours = {
        line["message"]: line for line in lines if line.get("message") in {"Not lost", "Cleared"}
    }
    assert "value" in ours["Not lost"]
    assert not {"value", "another"} & ours["Cleared"].keys()


def test_cold_start_beside_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function starts although another thread makes loggers at the same time."""

    class Logger:
        @property
        def init(self) -> bool:
            """Make a logger, as the host looks at this one."""
            logging.getLogger(f"made.{uuid.uuid4()}")
            return False

    monkeypatch.setitem(logging.root.manager.loggerDict, "busy", Logger())
    with System(time_scale=100, durable_scale=100, in_process=True) as system:
        user = User(system)
        assert user.result(user.start("eventbridge", processingTime=0))["outcome"] == "Succeeded"


def test_two_at_once() -> None:
    """A second system on the threads of a process is refused, and leaves the first as it was."""
    with System(time_scale=100, durable_scale=100, in_process=True) as system:
        with pytest.raises(RuntimeError, match="Only one"):
            System(in_process=True)
        user = User(system)
        assert user.result(user.start("eventbridge", processingTime=0))["outcome"] == "Succeeded"


def test_one_after_the_other() -> None:
    """Work left on the threads of an ended system asks nothing of the next one."""
    with System(time_scale=100, in_process=True) as first:
        left = User(first)
        left.start("eventbridge", processingTime=300)
        left.wait(lambda: [t for t in first.tasks.all() if t.shows({"lastStatus": "RUNNING"})])
    with System(time_scale=100, durable_scale=100, in_process=True) as second:
        user = User(second)
        arn = user.start("eventbridge", processingTime=0)
        assert user.result(arn)["outcome"] == "Succeeded"
        asked = {call.execution_id for call in second.journal.entries(Call)}
    assert asked == {arn.rpartition("/")[2]}


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that finds no Region of its own in its process is refused."""
    monkeypatch.setattr("local.stack.regions._free", [])
    with pytest.raises(RuntimeError, match="Only four systems"):
        System(in_process=True)


@pytest.mark.parametrize(
    "step", ["local.system.Account.create", "local.system.Bus", "local.system.start_schedules"]
)
def test_system_that_cannot_start(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot start leaves neither a thread nor its port, however far it has come."""
    ports: list[int] = []
    listening = Endpoint.__init__

    def listen(endpoint: Endpoint, *given: Any) -> None:
        listening(endpoint, *given)
        ports.append(int(endpoint.url.rpartition(":")[2]))

    def fail(*_: object) -> None:
        raise ValueError("no further")

    monkeypatch.setattr(Endpoint, "__init__", listen)
    monkeypatch.setattr(step, fail)
    before = threading.active_count()
    with pytest.raises(ValueError, match="no further"):
        System()
    assert look_again(lambda: threading.active_count() <= before, PATIENCE)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]))


def test_handler_that_exits() -> None:
    """A handler that exits fails its invocation at once, as the end of its process would."""

    def handler(*_: object) -> None:
        sys.exit(3)

    ticks = Ticks()
    sandbox = ThreadSandbox("mine", handler, Caller("mine", "Role"), Clock(1, ticks))
    headers = {"Lambda-Runtime-Invoked-Function-Arn": "arn", "Lambda-Runtime-Aws-Request-Id": "1"}
    answer = sandbox.invoke(b"{}", headers, PATIENCE)
    ticks.stop()
    assert json.loads(answer.payload)["errorType"] == "Runtime.ExitError"


def test_command() -> None:
    """A system in process refuses by name a command beside the worker's own."""
    with System(time_scale=100, durable_scale=100, in_process=True) as system:
        user = User(system)
        error = user.error(user.start("eventbridge", command=["true"], maxAttempts=1))
    assert "no command but its own" in json.dumps(error)
