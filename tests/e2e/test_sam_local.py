from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.tools import tool
from tests.e2e.up import DEAD_PROXY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.up import Up
    from tests.e2e.user import AwsUser

    Sam = Callable[..., subprocess.CompletedProcess[str]]

EXPORTED = (
    "AWS_SDK_UA_APP_ID",
    "DURABLE_EXECUTIONS_EXTERNAL_EMULATOR_PORT",
    "NO_PROXY",
    "no_proxy",
)


@pytest.fixture
def sam(shared: Up, tmp_path: Path) -> Sam:
    """`sam local` behind a proxy, which knows no more than what `make up` says it should."""
    environment = {
        "PATH": os.environ["PATH"],
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(tmp_path / "home"),
        **DEAD_PROXY,
        **{name: shared.variables()[name] for name in EXPORTED},
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


def test_execution(aws_user: AwsUser, sam: Sam) -> None:
    """An execution and its history are shown, and it is stopped."""
    arn = aws_user.start("eventbridge", processingTime=300)
    aws_user.details(arn, "InvocationCompleted")
    shown = sam("execution", "get", arn)
    assert "RUNNING" in shown.stdout, shown.stderr
    history = json.loads(sam("execution", "history", arn, "--format", "json").stdout)
    names = [event.get("Name") for event in history["Events"]]
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
    """An execution that does not exist is reported as not found."""
    function = (
        "arn:aws:lambda:us-east-1:123456789012:function:lambda-ecs-durable-demo-sync-function:1"
    )
    shown = sam("execution", "get", f"{function}/durable-execution/none/none")
    assert shown.returncode != 0
    assert "not found" in shown.stderr


@pytest.mark.parametrize("answer", [["succeed", "--result", "1"], ["fail", "--error-message", "x"]])
def test_callback(aws_user: AwsUser, sam: Sam, answer: list[str]) -> None:
    """A callback is answered by hand once: the execution then cancels its task."""
    arn = aws_user.start("eventbridge", processingTime=300)
    aws_user.details(arn, "InvocationCompleted")
    callback = aws_user.details(arn, "CallbackStarted")["CallbackId"]
    verb, *options = answer
    given = sam("callback", verb, callback, *options)
    assert given.returncode == 0, given.stderr
    error = aws_user.ended(arn)["Error"]
    assert json.loads(error["ErrorData"])["kind"] == "Cancelled"
    again = sam("callback", verb, callback, *options)
    assert again.returncode != 0
    assert "CallbackTimeoutException" in again.stderr
