from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from local import processes
from local.ecs.container import ProcessContainer
from local.processes import guarded
from tests.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.processes import Processes

# A program that leaves another one running, which holds its output open, in a session of its own.
LEAVING = """
import subprocess, sys, time
started = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(started.pid, flush=True)
time.sleep(float(sys.argv[1]))
print("over", flush=True)
"""


@pytest.fixture
def programs() -> Iterator[Processes]:
    """The starter of programs."""
    with guarded() as running:
        yield running


def container(programs: Processes, lines: list[str], seconds: float) -> ProcessContainer:
    """Start a container that leaves a process after some seconds."""
    command = [sys.executable, "-c", LEAVING, str(seconds)]
    started = programs.start(command, programs.folder, dict(os.environ))
    return ProcessContainer(started, lines.append)


def test_end_with_something_left(programs: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container ends with its main process, whatever that has left running."""
    monkeypatch.setattr(processes, "_LAST_LINES_SECONDS", 1.0)
    lines: list[str] = []
    running = container(programs, lines, 0)
    try:
        assert running.wait(PATIENCE) == 0
        until(lambda: lines[1:] == ["over"])
    finally:
        psutil.Process(int(lines[0])).kill()


def test_kill(programs: Processes) -> None:
    """A process that a container has started is killed with it, in whatever session it is."""
    lines: list[str] = []
    running = container(programs, lines, 600)
    until(lambda: lines)
    running.kill()
    assert running.wait(PATIENCE) == 137
    until(lambda: not psutil.pid_exists(int(lines[0])))
