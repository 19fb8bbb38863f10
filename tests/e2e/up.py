"""The local system as `make up` starts it: a process of its own, reached by what it exports."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import psutil

from local.stack.stack import PROJECT
from tests.e2e.user import AwsUser
from tests.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "lambda-ecs-durable-demo"
# Nobody listens there: what asks it for this machine fails.
DEAD_PROXY = {
    name: "http://127.0.0.1:9"
    for scheme in ("http", "https", "all")
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
}


class Up:
    """A process of local.up behind a proxy, with a note in a folder of its own.

    Attributes:
        folder: where the note is.
        process: local.up.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        with (folder / "printed").open("w") as printed:
            self.process = subprocess.Popen(
                _command(folder, "--port", "0", "--time-scale", "100", *options),
                cwd=PROJECT,
                env=os.environ | DEAD_PROXY,
                stdout=printed,
                stderr=subprocess.STDOUT,
                # A signal to it is no signal to its processes.
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        """The text that it has printed."""
        return (self.folder / "printed").read_text()

    def variables(self) -> dict[str, str]:
        """Wait until it is up, and return what it says a shell has to export."""
        until(lambda: ask(self.folder, "--env").returncode == 0)
        words = shlex.split(ask(self.folder, "--env").stdout)
        return dict(word.split("=", 1) for word in words if word != "export")

    def user(self) -> AwsUser:
        """Return somebody who knows what a shell would have exported, and no more."""
        variables = self.variables()

        @cache
        def client(service: str) -> Any:
            with patch.dict(os.environ, variables):
                return boto3.Session().client(service)

        [stack] = client("cloudformation").describe_stacks()["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        return AwsUser(client, stack["StackName"], outputs)

    def start_work(self) -> None:
        """Start executions with nothing but what is exported, and wait for their workers."""
        user = self.user()
        user.start("polling", processingTime=300)
        user.start("eventbridge", processingTime=300)
        # The guard, two functions, the task-state function not being one of them, and two workers.
        until(lambda: len(self.processes()) >= 5)

    def processes(self) -> set[int]:
        """Return the ids of the processes that it has started: functions, workers and a guard."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, wait for its end and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def up(folder: Path, *options: str) -> Iterator[Up]:
    """Start the system, with more options of local.up if need be, and leave nothing of it."""
    started = Up(folder, *options)
    try:
        yield started
    finally:
        started.end()


def ask(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run local.up to its end."""
    return subprocess.run(
        _command(folder, *options), cwd=PROJECT, capture_output=True, text=True, check=False
    )


def _command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "local.up", "--folder", str(folder), *options]
