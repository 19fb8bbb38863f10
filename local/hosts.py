"""Hosts: the places where functions and containers run."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from local.ecs.container import CannotStartError, ContainerHost, bare, worker_image
from local.functions.process import ProcessSandbox
from local.functions.sandbox import FunctionHost
from local.processes import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from local.clock import Clock
    from local.ecs.container import Container, Image
    from local.ecs.program import Program
    from local.functions import Configuration
    from local.functions.sandbox import Sandbox
    from local.gateway import Caller
    from local.processes import Processes


_START_SECONDS, _START_LOOKS = 20, 400


class Host(FunctionHost, ContainerHost, Protocol):
    """Starts the functions and containers of the local system."""


@contextmanager
def process_host(worker: Path, clock: Clock) -> Iterator[ProcessHost]:
    """Provide a host that starts processes.

    Args:
        worker: the folder of the worker's Dockerfile.
        clock: the clock of the functions' timeouts.
    """
    with guarded() as processes:
        yield ProcessHost(worker_image(worker, processes), processes, clock)


class ProcessHost:
    """Starts processes of this machine."""

    # Lambda would start a thousand. Here each one takes a second of one core and 70 MB.
    concurrency = 4

    def __init__(self, image: Image, processes: Processes, clock: Clock) -> None:
        self._image, self._processes, self._clock = image, processes, clock
        self._starting = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))

    def function(
        self,
        _configuration: Configuration,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
    ) -> Sandbox:
        """Start Lambda's runtime client with the function's handler."""
        return ProcessSandbox(environment, caller, on_line, self._clock, self._processes)

    def container(
        self,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
        program: Program,
    ) -> Container:
        """Start a program, once fewer are starting than the machine can start at a time."""
        begun = threading.Event()

        def line(text: str) -> None:
            begun.set()
            on_line(text)

        # The thread that watches the start releases the slot.
        self._starting.acquire()
        try:
            if program.is_worker:
                container = self._image.start(environment, line, program.words)
            else:
                container = bare(self._processes, environment, line, program.words)
        except (CannotStartError, OSError):
            self._starting.release()
            raise
        container.caller, caller.kill = caller, container.kill
        threading.Thread(target=self._watch, args=[container, begun], daemon=True).start()
        return container

    def _watch(self, container: Container, begun: threading.Event) -> None:
        """Release the slot of a start after the first line, or once none will come."""
        for _ in range(_START_LOOKS):
            if begun.wait(_START_SECONDS / _START_LOOKS) or container.wait(0) is not None:
                break
        self._starting.release()
