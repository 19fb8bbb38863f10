from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from local.processes import guarded
from local.stack.stack import PROJECT
from tests.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A process that starts another, like a shell that runs a command.
PARENT = """
import os, subprocess, sys, time

child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
# It starts them from a thread that has ended since.
STARTER = f"""
import sys
from concurrent.futures import ThreadPoolExecutor

from local.processes import guarded

with guarded() as processes:
    (processes.folder / "file").touch()
    with ThreadPoolExecutor() as pool:
        start = pool.submit(processes.start, [sys.executable, "-c", {PARENT!r}], "/", {{}})
    print(processes.folder, start.result().stdout.readline(), flush=True)
    sys.stdin.readline()
"""


class Starter:
    """A process that has started another, which has started one itself.

    Attributes:
        process: it.
        folder: of what it has started.
        started: what it has started.
        leader: of the group of these.
    """

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", STARTER]
        self.process = subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout
        folder, *pids = self.process.stdout.readline().split()
        self.folder = Path(folder)
        self.started = [psutil.Process(int(pid)) for pid in pids]
        self.leader = psutil.Process(os.getpgid(int(pids[0])))

    @property
    def is_left(self) -> bool:
        """Whether anything of it is there."""
        return self.folder.exists() or any(is_running(process) for process in self.started)


def is_running(process: psutil.Process) -> bool:
    """Whether a process does anything yet; nobody may have asked how it ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def start() -> Iterator[Callable[[], Starter]]:
    """Start such a process."""
    starters: list[Starter] = []

    def start() -> Starter:
        starters.append(Starter())
        return starters[-1]

    yield start
    for starter in starters:
        starter.process.communicate()


def test_killed_starter(start: Callable[[], Starter]) -> None:
    """A system that is killed leaves no process of its own, no child of one and no folder."""
    killed, other = start(), start()
    assert killed.is_left
    killed.process.kill()
    until(lambda: not killed.is_left)
    assert other.folder.exists()
    assert all(is_running(process) for process in other.started)
    other.process.communicate()
    assert not other.is_left


def test_killed_guard(start: Callable[[], Starter]) -> None:
    """A system that is killed after the guard of its processes leaves nothing either."""
    starter = start()
    guard = psutil.Process(starter.leader.ppid())
    guard.kill()
    until(lambda: not is_running(guard))
    assert starter.is_left
    starter.process.kill()
    until(lambda: not starter.is_left)
    until(lambda: not is_running(starter.leader))


def test_signals_of_a_terminal() -> None:
    """Ctrl-C and the end of a terminal reach the system, and not its processes."""
    with guarded() as processes:
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        process = processes.start(sleep, processes.folder, {})
        guard = psutil.Process(os.getpgid(process.pid)).ppid()
        assert os.getpgrp() not in {os.getpgid(process.pid), os.getpgid(guard)}
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            os.kill(guard, number)
    # It has outlived them, and ends the process.
    assert process.wait(PATIENCE) == -signal.SIGKILL
