"""The processes that the local system starts; all of them end with it."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_GUARD = Path(__file__).with_name("guard.py")
# Time for a program's last lines: a process that it left running may never close its output.
_LAST_LINES_SECONDS = 10.0


class Processes:
    """Starts programs, all in one process group.

    Args:
        folder: see the attributes.
        group: id of the process group.

    Attributes:
        folder: the folder for the files of a run.
    """

    def __init__(self, folder: Path, group: int) -> None:
        self.folder, self._group = folder, group

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        """Start a program that has no input, and one output.

        Args:
            command: the program and its arguments.
            folder: its working directory.
            environment: all of its variables.
        """
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=self._group,
        )


class Output:
    """Reads a program's output, on a thread of its own.

    Args:
        process: the program.
        on_line: takes each line.
    """

    def __init__(self, process: subprocess.Popen[str], on_line: Callable[[str], None]) -> None:
        self._process = process
        self._reader = threading.Thread(target=self._read, args=[on_line], daemon=True)
        self._reader.start()

    def finish(self) -> None:
        """Wait for the last lines of a program that has ended."""
        self._reader.join(_LAST_LINES_SECONDS)

    def _read(self, on_line: Callable[[str], None]) -> None:
        for line in self._process.stdout or ():
            on_line(line.rstrip("\n"))


def kill(process: subprocess.Popen[str]) -> None:
    """Send SIGKILL to a program and to the processes that it has started."""
    started: list[psutil.Process] = []
    with suppress(psutil.Error):
        started = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for child in started:
        with suppress(psutil.Error):
            child.kill()


@contextmanager
def guarded() -> Iterator[Processes]:
    """Provide `Processes`; they and their folder end with the block.

    They end also if this process dies first, however it dies.

    Raises:
        OSError: the guard of the processes cannot start.
    """
    command = [sys.executable, "-IS", str(_GUARD)]
    pipe = subprocess.PIPE
    # A group of its own, so that Ctrl-C in a terminal does not reach it.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, process_group=0) as guard:
        folder, group = (guard.stdout.readline().strip() if guard.stdout else "" for _ in range(2))
        if not group:
            raise OSError("The guard of the local system's processes did not start.")
        yield Processes(Path(folder), int(group))
