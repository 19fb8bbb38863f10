from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.tools import tool
from tests.e2e.up import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.up import Up

    Sam = Callable[..., subprocess.CompletedProcess[str]]

FUNCTION = "lambda-ecs-durable-demo-eventbridge-function"
PORT = "DURABLE_EXECUTIONS_EXTERNAL_EMULATOR_PORT"


@pytest.fixture
def sam(shared: Up, tmp_path: Path) -> Sam:
    """`sam local`, which knows no more than what `make up` says it should."""
    environment = {
        "PATH": os.environ["PATH"],
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(tmp_path / "home"),
        PORT: shared.variables()[PORT],
    }
    program = [str(tool("sam", "sam")), "local"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def start(shared: Up) -> tuple[str, str]:
    """Start an execution whose task takes long; return its ARN and the callback it waits for."""
    durable = shared.client("lambda")
    arn = durable.invoke(
        FunctionName=f"{FUNCTION}:live", InvocationType="Event", Payload='{"processingTime": 300}'
    )["DurableExecutionArn"]

    def events() -> dict[str, dict[str, dict[str, str]]]:
        history = durable.get_durable_execution_history(DurableExecutionArn=arn)
        return {event["EventType"]: event for event in history["Events"]}

    wait_for(lambda: "InvocationCompleted" in events())
    return arn, events()["CallbackStarted"]["CallbackStartedDetails"]["CallbackId"]


def failed(shared: Up, arn: str) -> dict[str, str]:
    """Wait until an execution has failed, and return its error's data."""
    durable = shared.client("lambda")

    def status() -> str:
        return str(durable.get_durable_execution(DurableExecutionArn=arn)["Status"])

    wait_for(lambda: status() != "RUNNING")
    execution = durable.get_durable_execution(DurableExecutionArn=arn)
    assert execution["Status"] == "FAILED"
    return dict(json.loads(execution["Error"]["ErrorData"]))


def test_execution(shared: Up, sam: Sam) -> None:
    """An execution is shown, its history told, and it is stopped."""
    arn, _ = start(shared)
    shown = sam("execution", "get", arn)
    assert "RUNNING" in shown.stdout, shown.stderr
    told = json.loads(sam("execution", "history", arn, "--format", "json").stdout)
    names = [event.get("Name") for event in told["Events"]]
    assert [name for name in names if name in {"task-end", "launch-task"}] == [
        "task-end",
        "launch-task",
        "launch-task",
    ]
    stopped = sam("execution", "stop", arn, "--error-message", "not needed")
    assert stopped.returncode == 0, stopped.stderr
    assert (
        json.loads(sam("execution", "get", arn, "--format", "json").stdout)["Status"] == "STOPPED"
    )


def test_unknown_execution(sam: Sam) -> None:
    """An execution that is not there is said to be not found."""
    shown = sam("execution", "get", "nothing")
    assert shown.returncode != 0
    assert "not found" in shown.stderr


@pytest.mark.parametrize("answer", [["succeed", "--result", "1"], ["fail", "--error-message", "x"]])
def test_callback(shared: Up, sam: Sam, answer: list[str]) -> None:
    """A callback is answered by hand once: the execution then cancels its task."""
    arn, callback = start(shared)
    verb, *options = answer
    given = sam("callback", verb, callback, *options)
    assert given.returncode == 0, given.stderr
    assert failed(shared, arn)["kind"] == "Cancelled"
    again = sam("callback", verb, callback, *options)
    assert again.returncode != 0
    assert "CallbackTimeoutException" in again.stderr
