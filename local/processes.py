"""The processes that the local system starts."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Processes:
    """Starts programs.

    Attributes:
        folder: for the files of a run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
        )


@contextmanager
def guarded() -> Iterator[Processes]:
    """Provide a start of processes, whose folder ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        yield Processes(Path(folder))
