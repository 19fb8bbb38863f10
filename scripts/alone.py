"""Run a command that no other process runs with the same file: `python alone.py FILE COMMAND`.

The file is locked for as long as the command, or a process that it started, holds it open. The
kernel unlocks it, however they end. Any Python 3 runs this.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Wait for the lock, then become the command."""
    # Ctrl-C during the wait needs no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    path, *command = sys.argv[1:]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write("Another make installs here; this one waits for it.\n")
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)  # noqa: FBT003 - the standard library takes no name
    os.execvp(command[0], command)  # noqa: S606 - the purpose of this program


if __name__ == "__main__":
    main()
