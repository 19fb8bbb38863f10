"""One container of a task: how it is started, and how it ends when the task is to stop."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.clock import Flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import Clock
    from local.ecs.container import Container
    from local.ecs.program import Program


@dataclass(frozen=True, slots=True)
class Part:
    """A container that a task starts.

    Attributes:
        program: the program that runs in it.
        start: starts the container.
    """

    program: Program
    start: Callable[[], Container]


class Running:
    """A container that runs.

    Args:
        part: the part that was started.
        container: the started container.
        clock: the clock of its time to end.
        stop_asked: set when its task is to stop.
    """

    def __init__(self, part: Part, container: Container, clock: Clock, stop_asked: Flag) -> None:
        self.part, self.container = part, container
        self._clock, self._stop_asked, self._exited = clock, stop_asked, Flag(clock)

    def wait(self) -> int | None:
        """Return its exit code, once it has ended: by itself, or because its task is to stop."""
        threading.Thread(target=self._end, daemon=True).start()
        code = self.container.wait()
        self._exited.set()
        return code

    def kill(self) -> None:
        """End it at once."""
        self.container.kill()
        self.container.wait()

    def _end(self) -> None:
        if self._stop_asked.wait() and not self._exited.is_set:
            self.container.terminate()
            if not self._exited.wait(self.part.program.grace):
                self.container.kill()
