"""One task on its way through Fargate's states, on a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from local.clock import Flag
from local.ecs.detail import described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.clock import Clock
    from local.ecs.container import Container

# How long Fargate takes, in AWS's seconds: published events of six tasks, medians, rounded. From
# creation to RUNNING 28 s, from the container's exit to STOPPED 23 s.
_PROVISIONING, _PENDING, _STOPPING, _DEPROVISIONING = 10, 18, 5, 18
_GRACE = 30
_EXITED = "Essential container in task exited"
_INTERRUPTED = "Your Spot Task was interrupted."
_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


class Task:
    """A task from RunTask to STOPPED.

    Attributes:
        arn: the task's.
        tags: which its events do not tell.
        failure: `stoppedReason` if its container is not to start; None if it is to.
    """

    def __init__(
        self,
        detail: dict[str, Any],
        definition: Mapping[str, Any],
        start: Callable[[], Container],
        on_change: Callable[[dict[str, Any]], None],
        clock: Clock,
    ) -> None:
        self.arn: str = detail["taskArn"]
        self.tags: list[dict[str, str]] = []
        self.failure: str | None = None
        self._detail = detail
        self._main = definition
        self._start_container = start
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.RLock()
        self._stop_asked, self._exited = Flag(clock), Flag(clock)
        self._container: Container | None = None
        self._killed = False
        self._ended: float | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process, once it was started."""
        return self._container.pid if self._container else None

    @property
    def ended_for(self) -> float | None:
        """AWS's seconds since it is STOPPED; None before."""
        return None if self._ended is None else self._clock.passed - self._ended

    def describe(self) -> dict[str, Any]:
        """Return the task as DescribeTasks shows it."""
        with self._lock:
            return described(self._detail)

    def shows(self, wanted: Mapping[str, str]) -> bool:
        """Whether DescribeTasks shows it with these values."""
        with self._lock:
            return wanted.items() <= self._detail.items()

    def live(self) -> None:
        """Walk through all states and return when the task is STOPPED or the system stops."""
        self._tell()
        if self._comes_up():
            self._run()
        with self._lock:
            for container in self._detail["containers"]:
                container["lastStatus"] = "STOPPED"
        self._enter("STOPPING")
        if self._clock.sleep(_STOPPING):
            self._enter("DEPROVISIONING", "stoppingAt", tell=True)
        if self._clock.sleep(_DEPROVISIONING):
            self._ended = self._clock.passed
            self._enter("STOPPED", "stoppedAt", tell=True)

    def _comes_up(self) -> bool:
        """Start the container; False if the task ends before."""
        if not self._goes_on(_PROVISIONING):
            return False
        self._enter("PENDING", "connectivityAt", "pullStartedAt", tell=True)
        if not self._goes_on(_PENDING):
            return False
        self._enter("ACTIVATING", "pullStoppedAt")
        if self.failure:
            self._ending("TaskFailedToStart", self.failure)
            return False
        self._start()
        self._enter("RUNNING", "startedAt", tell=True)
        return True

    def _goes_on(self, seconds: float) -> bool:
        """Wait; False if the task is to stop, or the system."""
        return not (self._stop_asked.wait(seconds) or self._clock.is_stopped)

    def stop(self, reason: str) -> None:
        """Ask the task to stop, as StopTask does; a task that is stopping stays as it is."""
        with self._lock:
            if self._detail["desiredStatus"] == "RUNNING":
                self._ending("UserInitiated", reason)
        self._stop_asked.set()

    def interrupt(self, notice: float = 0) -> None:
        """Take Spot capacity away: an event warns, SIGTERM follows, SIGKILL after `StopTimeout`.

        Args:
            notice: AWS's seconds from the warning to SIGTERM; Fargate sends both at once.
        """
        with self._lock:
            if self._detail["desiredStatus"] == "RUNNING":
                self._ending("SpotInterruption", _INTERRUPTED)
                self._enter(self._detail["lastStatus"], tell=True)
        self._clock.call_later(notice, self._stop_asked.set)

    def run_out_of_memory(self) -> None:
        """Kill the container as the kernel does when there is no memory left."""
        container = self._container
        if container is None:
            raise ValueError(f"{self.arn} has no container that runs.")
        with self._lock:
            self._main_container["reason"] = _OUT_OF_MEMORY
        container.kill()

    def kill_container(self) -> None:
        """Send SIGKILL to the container, if it runs."""
        if self._container:
            self._container.kill()

    def kill(self) -> None:
        """End the process at once, or let none begin; only for the end of the whole system."""
        with self._lock:
            self._killed = True
        self._stop_asked.set()
        if self._container:
            self._container.kill()
            self._container.wait()

    def _start(self) -> None:
        if self._killed:
            return
        try:
            container = self._start_container()
        except OSError:
            # It waited for its turn until the system, and the image with it, was gone.
            if self._killed:
                return
            raise
        with self._lock:
            self._container = container
            if self._killed:
                container.kill()

    def _run(self) -> None:
        """Wait for the container's end, and help it along if the task was asked to stop."""
        if self._container is None:
            return
        watcher = threading.Thread(target=self._watch_for_stop, daemon=True)
        watcher.start()
        code = self._container.wait()
        self._exited.set()
        with self._lock:
            self._main_container["exitCode"] = code
            if self._detail["desiredStatus"] == "RUNNING":
                self._ending("EssentialContainerExited", _EXITED)
        self._stop_asked.set()
        watcher.join()
        self._enter("DEACTIVATING", "executionStoppedAt")

    def _watch_for_stop(self) -> None:
        container = self._container
        if self._stop_asked.wait() and container and not self._exited.is_set:
            container.terminate()
            if not self._exited.wait(self._main.get("StopTimeout", _GRACE)):
                container.kill()

    def _ending(self, code: str, reason: str) -> None:
        with self._lock:
            self._detail.update(desiredStatus="STOPPED", stopCode=code, stoppedReason=reason)

    @property
    def _main_container(self) -> dict[str, Any]:
        named = self._main["Name"]
        return next(c for c in self._detail["containers"] if c["name"] == named)

    def _enter(self, status: str, *moments: str, tell: bool = False) -> None:
        """Change the status, from now on; Fargate's events skip the states that last no time."""
        with self._lock:
            now = dict.fromkeys(("updatedAt", *moments), self._clock.now())
            self._detail.update(lastStatus=status, **now)
            if status == "RUNNING":
                self._main_container["lastStatus"] = "RUNNING"
            if tell:
                self._detail["version"] += 1
                self._tell()

    def _tell(self) -> None:
        with self._lock:
            self._on_change(dict(self._detail))
