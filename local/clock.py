"""AWS's time: it passes by ticks of our seconds, and may pass faster."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# A tick comes four thousandths of a second after the last, and counts as five at most: an idle
# machine is about one late.
_PAUSE, _TICK = 0.004, 0.005
# Number of cancelled calls that may be kept.
_FORGOTTEN = 100

_log = logging.getLogger(__name__)


class Ticks:
    """Our seconds, counted by ticks: a tick that comes late counts once.

    A process that is stopped, or waits for its turn on a busy machine, does no work meanwhile. If
    it counted that time, tasks and executions would expire, time out and be forgotten before the
    functions had a chance to look at them.
    """

    def __init__(self) -> None:
        self._counted, self._last = 0.0, time.monotonic()
        self._numbers = itertools.count()
        self._due: list[tuple[float, int]] = []
        self._calls: dict[int, Callable[[], object]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def passed(self) -> float:
        """The seconds since the first tick; never more than the next tick will count."""
        with self._lock:
            return self._passed()

    @property
    def is_stopped(self) -> bool:
        """Whether the ticks have stopped."""
        return self._stopped.is_set()

    def call_later(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        """Call a function once, between two ticks; at once if the ticks have stopped.

        Args:
            seconds: the seconds to count before.
            call: the function; it takes no time.

        Returns:
            A function that cancels the call.
        """
        with self._lock:
            number = next(self._numbers)
            if not self.is_stopped:
                self._calls[number] = call
                if seconds < math.inf:
                    heapq.heappush(self._due, (self._passed() + seconds, number))
                return lambda: self._forget(number)
        call()
        return lambda: None

    def stop(self) -> None:
        """Stop the ticks; all waiting calls are made now."""
        with self._lock:
            self._stopped.set()
            left, self._calls = list(self._calls.values()), {}
        _call(left)

    def _passed(self) -> float:
        return self._counted + min(time.monotonic() - self._last, _TICK)

    def _run(self) -> None:
        while not self._stopped.wait(_PAUSE):
            _call(self._tick())

    def _tick(self) -> list[Callable[[], object]]:
        with self._lock:
            self._counted, self._last = self._passed(), time.monotonic()
            numbers = []
            while self._due and self._due[0][0] <= self._counted:
                numbers.append(heapq.heappop(self._due)[1])
            return [self._calls.pop(number) for number in numbers if number in self._calls]

    def _forget(self, number: int) -> None:
        with self._lock:
            self._calls.pop(number, None)
            # Most waits are cancelled long before they are due.
            if len(self._due) > 2 * len(self._calls) + _FORGOTTEN:
                self._due = [due for due in self._due if due[1] in self._calls]
                heapq.heapify(self._due)


def _call(due: Iterable[Callable[[], object]]) -> None:
    for call in due:
        try:
            call()
        except Exception:  # noqa: BLE001 - time has to pass for the others, whatever the error
            _log.exception("A call that was due failed")


class Clock:
    """A clock of AWS's time, on which callers wait until the ticks stop.

    Args:
        scale: AWS's seconds in one of ours, at least 1.
        ticks: the ticks by which it passes.
        calendar: another clock for the date; by default this one.
    """

    def __init__(self, scale: float, ticks: Ticks, calendar: Clock | None = None) -> None:
        if not scale >= 1:
            raise ValueError(f"The time scale should be at least 1, not {scale}.")
        self._scale, self._ticks, self._calendar = scale, ticks, calendar
        self._origin = self._latest = datetime.now(UTC)
        self._lock = threading.Lock()

    @property
    def passed(self) -> float:
        """The seconds of AWS's time since the ticks began."""
        return self._ticks.passed * self._scale

    @property
    def is_stopped(self) -> bool:
        """Whether AWS's time has stopped for good."""
        return self._ticks.is_stopped

    def now(self) -> datetime:
        """Return the present moment in AWS; each is later than the one before."""
        if self._calendar:
            return self._calendar.now()
        with self._lock:
            following = self._latest + timedelta(microseconds=1)
            self._latest = max(following, self._moment())
            return self._latest

    def _moment(self) -> datetime:
        # Processes read the machine's clock, which does not depend on ticks.
        if self._scale == 1:
            return datetime.now(UTC)
        return self._origin + timedelta(seconds=self.passed)

    def call_later(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        """Call a function after AWS's seconds; see `Ticks.call_later`."""
        return self._ticks.call_later(seconds / self._scale, call)

    def sleep(self, seconds: float) -> bool:
        """Wait for AWS's seconds; False if the ticks were stopped meanwhile."""
        Flag(self).wait(seconds)
        return not self.is_stopped


class Flag:
    """A flag that threads wait for, with a limit in AWS's time if they like."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_set = False
        self._changed = threading.Condition()

    @property
    def is_set(self) -> bool:
        """Whether it is raised."""
        return self._is_set

    def set(self) -> None:
        """Raise the flag, for good."""
        with self._changed:
            self._is_set = True
            self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the flag is raised, AWS's seconds have passed or the ticks are stopped.

        Returns:
            Whether it is raised.
        """
        over = threading.Event()

        def end() -> None:
            with self._changed:
                over.set()
                self._changed.notify_all()

        # A wait without a limit ends only with the flag or with the ticks.
        cancel = self._clock.call_later(math.inf if seconds is None else seconds, end)
        with self._changed:
            self._changed.wait_for(lambda: self._is_set or over.is_set())
        cancel()
        return self._is_set
