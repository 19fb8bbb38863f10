"""One task on its way through Fargate's states, on a thread of its own."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from local.clock import Flag
from local.ecs.mishaps import EndedBeside, FailedBeside, FailedStart, HangingStart, UnseenExit
from local.ecs.state import STATES, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.clock import Clock
    from local.ecs.container import Container

_GRACE = 30
# States that a stop cuts short.
_COMING_UP = ("PROVISIONING", "PENDING")


class Task(TaskState):
    """A task from RunTask to STOPPED, whose states last as long as they do on Fargate."""

    def __init__(
        self,
        detail: dict[str, Any],
        definition: Mapping[str, Any],
        start: Callable[[], Container],
        on_change: Callable[[dict[str, Any]], None],
        clock: Clock,
    ) -> None:
        """Take a new task.

        Args:
            detail: of the new task.
            definition: the main container's.
            start: starts the main container.
            on_change: told of each state that an event tells.
            clock: by which it lives.
        """
        super().__init__(detail, definition["Name"], clock, on_change)
        self._grace: float = definition.get("StopTimeout", _GRACE)
        self._start_container = start
        self._clock = clock
        self._stop_asked, self._exited = Flag(clock), Flag(clock)
        self._worker: Container | None = None
        self._killed = False

    @property
    def pid(self) -> int | None:
        """The worker's process, once it was started."""
        return self._worker.pid if self._worker else None

    def begin(self) -> None:
        """Live on a thread of its own."""
        threading.Thread(target=self.live, daemon=True).start()

    def live(self) -> None:
        """Walk through all states and return when the task is STOPPED or the system stops."""
        self.tell()
        while self._lasts() and (following := self.following):
            if following == "RUNNING":
                self._start()
            self.enter(following)
            if following == "RUNNING":
                self._run()

    def _lasts(self) -> bool:
        """Wait until the present state is over; False if the system stops."""
        seconds = STATES[self.status].seconds
        if self.status == "PENDING" and isinstance(self.mishap, HangingStart):
            self._stop_asked.wait()
        elif self.status in _COMING_UP:
            self._stop_asked.wait(seconds)
        elif seconds:
            self._clock.sleep(seconds)
        if self.following == "RUNNING":
            self._come_up()
        return not (self._killed or self._clock.is_stopped)

    def _come_up(self) -> None:
        """Let what keeps the task from RUNNING happen."""
        match self.mishap:
            case FailedStart(reason):
                self.fail(reason)
            case FailedBeside(_, name):
                self.add_container(name)
                self._start()
                self.begin_container()
                self._run()
            case EndedBeside(_, _, name):
                self.add_container(name)

    def stop(self, reason: str) -> None:
        """Ask the task to stop, as StopTask does; a task that is stopping stays as it is."""
        super().stop(reason)
        self._stop_asked.set()

    def interrupt(self, notice: float = 0) -> None:
        """Take Spot capacity away: an event warns, SIGTERM follows, SIGKILL after `StopTimeout`.

        Args:
            notice: AWS's seconds from the warning to SIGTERM; Fargate sends both at once.
        """
        super().interrupt()
        self._clock.call_later(notice, self._stop_asked.set)

    def run_out_of_memory(self) -> None:
        """Kill the container as the kernel does when there is no memory left."""
        if self._worker is None:
            raise ValueError(f"{self.arn} has no container that runs.")
        super().run_out_of_memory()

    def kill_container(self) -> None:
        """Send SIGKILL to the container, if it runs."""
        if self._worker:
            self._worker.kill()

    def kill(self) -> None:
        """End the process at once, or let none begin; only for the end of the whole system."""
        with self._lock:
            self._killed = True
        self._stop_asked.set()
        if self._worker:
            self._worker.kill()
            self._worker.wait()

    def _start(self) -> None:
        if self._killed:
            return
        try:
            worker = self._start_container()
        except OSError:
            # It waited for its turn until the system, and the image with it, was gone.
            if self._killed:
                return
            raise
        with self._lock:
            self._worker = worker
            if self._killed:
                worker.kill()

    def _run(self) -> None:
        """Wait for the container's end, and help it along if the task was asked to stop."""
        if self._worker is None:
            return
        watcher = threading.Thread(target=self._watch_for_stop, daemon=True)
        watcher.start()
        if isinstance(self.mishap, EndedBeside):
            self._clock.call_later(self.mishap.seconds, partial(self._end_beside, self.mishap))
        code = self._worker.wait()
        self._exited.set()
        if code is not None:
            self._has_exited(code)
        self._stop_asked.set()
        watcher.join()

    def _end_beside(self, mishap: EndedBeside) -> None:
        self.exit_beside(mishap.name, mishap.code)
        self._stop_asked.set()

    def _has_exited(self, code: int) -> None:
        match self.mishap:
            case FailedBeside(reason, name):
                self.exit_before(name, reason, code)
            case UnseenExit():
                self._stop_asked.wait()
            case _:
                self.exit(code)

    def _watch_for_stop(self) -> None:
        worker = self._worker
        if self._stop_asked.wait() and worker and not self._exited.is_set:
            worker.terminate()
            if not self._exited.wait(self._grace):
                worker.kill()
