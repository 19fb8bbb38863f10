"""The guard: a program that outlives its starter, and ends the processes that are left.

It prints a folder and the id of a process group. Its starter puts files into the folder and
processes into the group, and keeps the guard's input open. When the input is closed, by the starter
or by its death, the guard kills the group and removes the folder.

A process that was just forked when its starter died closes its own copy of the input after it has
joined the group. So the end of the input comes after the last process has joined.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from typing import NoReturn


def main() -> None:
    """Guard one run."""
    # A signal of the starter's terminal is for the starter.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="local-system-")
    try:
        group = _new_group(folder)
        # The starter reads both.
        sys.stdout.write(f"{folder}\n{group}\n")
        sys.stdout.flush()
        _await_end()
        # The error for an empty group differs between Linux and macOS.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        os.waitpid(group, 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_group(folder: str) -> int:
    """Return a new group that exists as long as this process: it has one member."""
    member = os.fork()
    if member == 0:
        _stay(folder)
    os.setpgid(member, member)
    return member


def _stay(folder: str) -> NoReturn:
    """Be the group's member, and do the guard's work if the guard is killed too."""
    # A reader of the guard's output waits until every copy of it is closed.
    os.close(sys.stdout.fileno())
    _await_end()
    shutil.rmtree(folder, ignore_errors=True)
    # This process is in the group, so it ends here.
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _await_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass


if __name__ == "__main__":
    main()
