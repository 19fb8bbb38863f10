"""The processes that the local system starts, none of which outlives it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GUARD = Path(__file__).with_name("guard.py")


class Processes:
    """Starts programs, all in one process group.

    Args:
        folder: see the attributes.
        group: its id.

    Attributes:
        folder: for the files of a run.
    """

    def __init__(self, folder: Path, group: int) -> None:
        self.folder, self._group = folder, group

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        """Start a program that has no input, and one output.

        Args:
            command: the program and its arguments.
            folder: where it works.
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


@contextmanager
def guarded() -> Iterator[Processes]:
    """Provide a start of processes; they and their folder end with the block.

    If this process dies first, however it dies, they end all the same.

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
