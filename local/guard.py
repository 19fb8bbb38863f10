"""Outlives whoever starts it, and ends what was left running: a program of its own.

It prints a folder and the id of a process group. Its starter puts files into the one and processes
into the other, and keeps its input open. When that is closed, by the starter or by its death, the
group is killed and the folder removed.

A process that was only just forked when its starter died closes its own copy of the input after it
has joined the group: the input's end comes after the last process has joined.
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
    # Its starter's terminal means its starter.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="local-system-")
    try:
        group = _new_group(folder)
        # Its starter reads both.
        sys.stdout.write(f"{folder}\n{group}\n")
        sys.stdout.flush()
        _await_end()
        # An empty group is one error on Linux, and another one on macOS.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        os.waitpid(group, 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_group(folder: str) -> int:
    """Return a group that exists for as long as this process waits: it has one member."""
    member = os.fork()
    if member == 0:
        _stay(folder)
    os.setpgid(member, member)
    return member


def _stay(folder: str) -> NoReturn:
    """Do the same as the guard, which may have been killed too."""
    # A reader of the guard's output waits until every copy of it is closed.
    os.close(sys.stdout.fileno())
    _await_end()
    shutil.rmtree(folder, ignore_errors=True)
    # This process is in the group too: it ends here.
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _await_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass


if __name__ == "__main__":
    main()
