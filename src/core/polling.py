"""Polling: when the next look is due, how many looks there can be, and what a look means."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from core.outcome import Outcome, classify, from_dict
from core.start import last_word_seconds, starts_by
from core.visibility import BETWEEN_LOOKS, UNKNOWN_WHEN_YOUNG

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_POLL_SECONDS = 3_000
# An execution holds 3,000 operations; launches, the close and their retries need some of them.
MAX_CHECKS = 2_900
# Operations of another attempt beside its checks: ten launches, the waits between them, a
# back-off, and the retries of them all.
_ATTEMPT_OPERATIONS = 60
FIRST_DELAY = 5
# Between looks at a task that was asked to stop.
STOPPING_DELAY = 15
_GROWTH, _CEILING = 1.5, 300
_DAY = 86_400
# In seconds, as looks count.
_YOUNG = int(UNKNOWN_WHEN_YOUNG.total_seconds())
_MISSING_FOR = int(BETWEEN_LOOKS.total_seconds())
# AWS may refuse a call for a while after its permission was given.
REFUSED_FOR = 600


def poll_delay(checks: int, elapsed: int, poll_seconds: int | None) -> int:
    """Return the seconds to wait after a check.

    Args:
        checks: number of checks so far, at least 1.
        elapsed: seconds since the attempt began.
        poll_seconds: the caller's fixed interval; None: 5 s growing by half to 300 s, and
            3,000 s after a day.
    """
    if poll_seconds is not None:
        return poll_seconds
    if elapsed >= _DAY:
        return MAX_POLL_SECONDS
    # 1.5 ** 11 passes the ceiling; a larger exponent would only overflow one day.
    return min(round(FIRST_DELAY * _GROWTH ** min(checks - 1, 11)), _CEILING)


def longest_wait(poll_seconds: int | None, attempts: int = 1) -> int:
    """Return how many seconds each attempt can last if all share an execution's operations."""
    elapsed = 0
    checks = (MAX_CHECKS - (attempts - 1) * _ATTEMPT_OPERATIONS) // attempts
    for check in range(1, checks + 1):
        elapsed += poll_delay(check, elapsed, poll_seconds)
    return elapsed


@dataclass(frozen=True, slots=True)
class PollState:
    """The state between two checks: a few fields, for Lambda bills the checkpoint of each check.

    Attributes:
        status: the task's `lastStatus` as last seen; None before the first sight.
        missed_at: `elapsed` of the first look in a row that ECS answered without the task; None if
            the last one found it.
        refused_at: `elapsed` of the first look since the last answer that ECS refused; None if it
            has refused none.
        starts_by: `elapsed` by which the container has to have begun; None once no limit holds.
        stopped_at: `elapsed` of our StopTask, after which ECS has the last word; None if there was
            none.
        since: when the attempt began, epoch seconds.
        elapsed: seconds from then to the last check.
        outcome: the end; None while the task is not over.
    """

    since: int = 0
    status: str | None = None
    missed_at: int | None = None
    refused_at: int | None = None
    starts_by: int | None = None
    stopped_at: int | None = None
    elapsed: int = 0
    outcome: Outcome | None = None

    def seen(
        self, task: Mapping[str, Any], container: str, elapsed: int, start_seconds: int | None
    ) -> PollState:
        """Fold in the task as DescribeTasks shows it, with the limit for its start."""
        limit = starts_by(task, container, start_seconds)
        return PollState(
            since=self.since,
            status=task.get("lastStatus"),
            starts_by=math.ceil(limit.timestamp()) - self.since if limit else None,
            stopped_at=self.stopped_at,
            elapsed=elapsed,
            outcome=classify(task, container),
        )

    def missed(self, elapsed: int) -> PollState:
        """Fold in a look at which ECS did not know the task; see `is_gone`."""
        first = elapsed if self.missed_at is None else self.missed_at
        return replace(self, missed_at=first, refused_at=None, elapsed=elapsed)

    def refused(self, elapsed: int) -> PollState:
        """Fold in a look that ECS refused; see `is_refused`."""
        first = elapsed if self.refused_at is None else self.refused_at
        return replace(self, refused_at=first, elapsed=elapsed)

    def throttled(self, elapsed: int) -> PollState:
        """Fold in a look from which nothing could be learned."""
        return replace(self, elapsed=elapsed)

    def stopped(self) -> PollState:
        """Fold in a StopTask at this look; see `is_given_up`."""
        return replace(self, stopped_at=self.elapsed)

    def ended(self, outcome: Outcome) -> PollState:
        """Fold in an end from another source than DescribeTasks."""
        return replace(self, outcome=outcome)

    @property
    def is_gone(self) -> bool:
        """Whether an unknown task is gone, and not just too young to be known everywhere."""
        known_or_old = self.status is not None or self.elapsed > _YOUNG
        missed_for = 0 if self.missed_at is None else self.elapsed - self.missed_at
        return known_or_old and missed_for >= _MISSING_FOR

    @property
    def is_refused(self) -> bool:
        """Whether looks have been refused for so long that nothing more can be learned."""
        return self.refused_at is not None and self.elapsed - self.refused_at >= REFUSED_FOR

    @property
    def is_unstarted(self) -> bool:
        """Whether this look has found a container that should have begun by now."""
        return (
            not self._is_in_vain and self.starts_by is not None and self.elapsed >= self.starts_by
        )

    def is_given_up(self, timeout: int) -> bool:
        """Whether ECS has had its time to show the end of a task that was asked to stop."""
        return self.stopped_at is not None and self.elapsed >= self._until(timeout)

    def delay(self, checks: int, poll_seconds: int | None, timeout: int) -> int:
        """Return the seconds to wait after this look, so that none of its limits is missed.

        Args:
            checks: the number of this look.
            poll_seconds: the caller's fixed interval, if there is one.
            timeout: seconds that the attempt may take.
        """
        if self.stopped_at is not None:
            delay = STOPPING_DELAY
        else:
            delay = poll_delay(checks, self.elapsed, poll_seconds)
        # ECS keeps an ended task for an hour: after a look in vain, a long interval could lose its
        # end.
        delay = min(delay, _MISSING_FOR) if self._is_in_vain else delay
        # Past a limit only a StopTask is left to do, for which ECS was too busy.
        left = self._until(timeout) - self.elapsed
        return min(delay, left if left > 0 else FIRST_DELAY)

    @property
    def _is_in_vain(self) -> bool:
        return self.missed_at is not None or self.refused_at is not None

    def _until(self, timeout: int) -> int:
        """Return the `elapsed` at which the next limit passes."""
        if self.stopped_at is not None:
            # ECS gets its time after a late StopTask too, within the reserve that an execution
            # keeps for its end.
            word = last_word_seconds(timeout)
            return min(self.stopped_at + word, timeout + 2 * word)
        if self.starts_by is None or self._is_in_vain:
            return timeout
        return min(self.starts_by, timeout)

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`: the constructor's arguments that are known."""
        fields = asdict(replace(self, outcome=None))
        fields |= {"outcome": self.outcome.to_dict() if self.outcome else None}
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PollState:
        """Rebuild the state from its JSON form."""
        end = data.get("outcome")
        return cls(**{**data, "outcome": from_dict(end) if end else None})
