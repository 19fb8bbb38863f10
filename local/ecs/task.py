"""One task, which goes through Fargate's states on a thread of its own."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from local.clock import Flag
from local.ecs.container import CannotStartError
from local.ecs.mishaps import EndedBeside, FailedBeside, FailedStart, HangingStart, UnseenExit
from local.ecs.part import Running
from local.ecs.state import STATES, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.clock import Clock
    from local.ecs.part import Part

_NOT_STARTED = "Task failed to start"
# States that a stop cuts short.
_COMING_UP = ("PROVISIONING", "PENDING")


class Task(TaskState):
    """A task from RunTask to STOPPED; its states last as long as on Fargate."""

    def __init__(
        self,
        detail: dict[str, Any],
        main: Part,
        on_change: Callable[[dict[str, Any]], None],
        clock: Clock,
        *,
        beside: Sequence[Part] = (),
    ) -> None:
        """Take a new task.

        Args:
            detail: the new task.
            main: its main container, with which it ends.
            on_change: called for each state that has an event.
            clock: the task's clock.
            beside: its other containers that can run here.
        """
        super().__init__(detail, main.program.container, clock, on_change)
        self._clock = clock
        self._parts = [main, *beside]
        self._stop_asked = Flag(clock)
        # The main container is the first one.
        self._running: list[Running] = []
        self._killed = False

    @property
    def pid(self) -> int | None:
        """The id of the main container's process, once it was started."""
        return self._running[0].container.pid if self._running else None

    def begin(self) -> None:
        """Start the task's thread."""
        threading.Thread(target=self.live, daemon=True).start()

    def live(self) -> None:
        """Go through all states; return when the task is STOPPED or the system stops."""
        self.tell()
        while self._lasts() and (following := self.following):
            if following == "RUNNING":
                self._start()
                # A task runs nothing if one of its containers has not started.
                following = self.following or following
            self.enter(following)
            if following == "RUNNING":
                self._run()

    def _lasts(self) -> bool:
        """Wait until the present state is over; return False if the system stops."""
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
        """Let the mishap happen that keeps the task from RUNNING."""
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
        if not self._running:
            raise ValueError(f"{self.arn} has no container that runs.")
        super().run_out_of_memory()

    def kill_container(self) -> None:
        """Send SIGKILL to the container, if it runs."""
        if self._running:
            self._running[0].container.kill()

    def kill(self) -> None:
        """Kill all processes, and let no other begin; only for the end of the whole system."""
        with self._lock:
            self._killed = True
            running = [*self._running]
        self._stop_asked.set()
        for each in running:
            each.kill()

    def _start(self) -> None:
        for part in self._parts:
            if self._killed:
                return
            try:
                container = part.start()
            except CannotStartError as error:
                self._fail_to_start(part.program.container, str(error))
                return
            except OSError:
                # The start waited for its turn until the system, and the image with it, was gone.
                if self._killed:
                    return
                raise
            running = Running(part, container, self._clock, self._stop_asked)
            with self._lock:
                self._running.append(running)
                if self._killed:
                    container.kill()

    def _fail_to_start(self, name: str, reason: str) -> None:
        """End a task with a container that cannot start, and the containers that run already."""
        with self._lock:
            self._named(name)["reason"] = reason
            self.fail(_NOT_STARTED)
            begun, self._running = self._running, []
        for running in begun:
            running.kill()

    def _run(self) -> None:
        """Wait for the end of every container, and cause it if the task is to stop."""
        if not self._running:
            return
        main, *others = self._running
        waiting = [
            threading.Thread(target=self._run_beside, args=[other], daemon=True) for other in others
        ]
        for thread in waiting:
            thread.start()
        if isinstance(self.mishap, EndedBeside):
            self._clock.call_later(self.mishap.seconds, partial(self._end_beside, self.mishap))
        code = main.wait()
        if code is not None:
            self._has_exited(code)
        self._stop_asked.set()
        for thread in waiting:
            thread.join()

    def _run_beside(self, running: Running) -> None:
        """Wait for the end of a container beside the main one."""
        code, program = running.wait(), running.part.program
        if code is not None:
            self.exit_beside(program.container, code, is_essential=program.is_essential)
        if program.is_essential:
            self._stop_asked.set()

    def _end_beside(self, mishap: EndedBeside) -> None:
        if self.shows({"desiredStatus": "RUNNING"}):
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
