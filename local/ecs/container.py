"""A container of a task as a process that sees only the container's environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from local.exits import exit_code
from local.processes import Output, kill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.ecs.program import Program
    from local.gateway import Caller
    from local.processes import Processes

# These words mean the image's Python, for which this machine's stands in.
_PYTHON = frozenset({"python", "python3"})
_CMD = re.compile(r"^CMD (?P<command>\[.*\])$", re.MULTILINE)


class CannotStartError(Exception):
    """A container's command cannot be run; the message says why, in ECS's words."""


def worker_image(worker: Path, processes: Processes) -> Image:
    """Make the image of the Dockerfile in the worker's folder, as a folder of this machine.

    Args:
        worker: the Dockerfile's folder.
        processes: starts containers, and keeps the image's folder.

    Raises:
        ValueError: the Dockerfile has no command in the form that is understood here.
    """
    found = _CMD.search((worker / "Dockerfile").read_text())
    if not found:
        raise ValueError(f"{worker / 'Dockerfile'} has no CMD in its JSON form.")
    return Image(worker.resolve(), json.loads(found["command"]), processes)


@dataclass(frozen=True, slots=True)
class Image:
    """An image, from which containers are started.

    Attributes:
        code: the folder with the code; each container works in a copy of its own.
        command: the program and its arguments, for a container without a command.
        processes: starts containers.
    """

    code: Path
    command: list[str]
    processes: Processes

    def start(
        self,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        command: Sequence[str] = (),
    ) -> ProcessContainer:
        """Start a container with a command, and nothing but the given environment.

        Raises:
            CannotStartError: the command cannot be run.
            OSError: there is no room for containers any more.
        """
        # The container sees the worker's package and no other folder of src/.
        folder = Path(tempfile.mkdtemp(dir=self.processes.folder))
        package = folder / self.code.name
        shutil.copytree(self.code, package, ignore=shutil.ignore_patterns("__pycache__"))
        path = [str(folder), str(package), *filter(None, [environment.get("PYTHONPATH")])]
        variables = {**environment, "PYTHONPATH": os.pathsep.join(path)}
        return started(self.processes, command or self.command, package, variables, on_line)


def bare(
    processes: Processes,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    command: Sequence[str],
) -> ProcessContainer:
    """Start a container whose image this machine lacks, in an empty folder of its own.

    Raises:
        CannotStartError: the command cannot be run.
        OSError: there is no room for containers any more.
    """
    folder = Path(tempfile.mkdtemp(dir=processes.folder))
    return started(processes, command, folder, environment, on_line)


def started(
    processes: Processes,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
) -> ProcessContainer:
    """Start a command as a container that works in a folder.

    Raises:
        CannotStartError: the command cannot be run.
        OSError: the folder is gone.
    """
    program, *arguments = command
    own = sys.executable if program in _PYTHON else program
    variables = {"PATH": os.environ["PATH"], **environment}
    try:
        process = processes.start([own, *arguments], folder, variables)
    except OSError as error:
        if not folder.is_dir():
            raise
        raise CannotStartError(
            "CannotStartContainerError: failed to create task for container: unable to start "
            f'container process: exec: "{program}": {error.strerror}: unknown'
        ) from error
    return ProcessContainer(process, on_line)


class Container(Protocol):
    """A running container."""

    @property
    def pid(self) -> int | None:
        """The id of its process; None if it has no process of its own."""

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code as a container runtime shows it; None while it runs."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


class ContainerHost(Protocol):
    """Starts containers."""

    def container(
        self,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
        program: Program,
        /,
    ) -> Container:
        """Start a container of a task.

        Raises:
            CannotStartError: its command cannot be run.
            OSError: there is no room for containers any more.
        """


class ProcessContainer:
    """A container as a process of this machine.

    Attributes:
        pid: the process's id.
        caller: the caller by which its calls are known.
    """

    caller: Caller | None = None

    def __init__(self, process: subprocess.Popen[str], on_line: Callable[[str], None]) -> None:
        self._process = process
        self.pid = process.pid
        self._output = Output(process, on_line)

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code as a container runtime shows it; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout)
            self._output.finish()
            return code if code >= 0 else exit_code(-code)
        return None

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        kill(self._process)
