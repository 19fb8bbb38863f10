"""The time that a run of the reconciler has, and the counts of its work."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from adapters import clock
from adapters.telemetry import logger
from core.done import Done
from core.metrics import Gauges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

# Seconds that have to be left for one record or one orphan: their calls may hang.
FOR_ONE = 40
# DescribeTasks and ListTasks share 20 calls a second with the whole account, and the table's reads
# are for the records first of all.
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Tally:
    """One run's time, its counts, and the records that it could not settle.

    Attributes:
        seconds_left: returns the seconds until the run has to be over.
        done: number of times by word for what was done.
        unsettled: execution ids of the records that are left to the next run.
        gauges: the open records as the run has seen them.
    """

    seconds_left: Callable[[], float]
    done: Counter[Done] = field(default_factory=Counter)
    unsettled: set[str] = field(default_factory=set)
    gauges: Gauges = field(default_factory=Gauges)

    def in_time(self, items: Iterable[T], reserve: float) -> Iterator[T]:
        """Yield items while more than `reserve` seconds are left; the rest waits."""
        for item in items:
            if self.seconds_left() <= reserve:
                self.done[Done.OUT_OF_TIME] = 1
                return
            yield item

    @contextmanager
    def settling(self, execution_id: str) -> Iterator[None]:
        """Leave a record that cannot be settled to the next run, so that others do not wait."""
        try:
            yield
        # Any error, for example of a record that was spoilt by hand, is logged and counted.
        except Exception as error:  # noqa: BLE001 - one record's error must not cost the others
            self.leave(execution_id, error)

    def leave(self, execution_id: str, error: Exception) -> None:
        """Log that a record is left to the next run, and why."""
        reason = f"{type(error).__name__}: {error}"
        logger.warning("Not settled", extra={"executionId": execution_id, "reason": reason})
        self.done[Done.NOT_SETTLED] += 1
        self.unsettled.add(execution_id)


def pause() -> None:
    """Keep the pace of a run: a pause before the next call, not a wait for anything."""
    clock.sleep(_PAUSE_SECONDS)
