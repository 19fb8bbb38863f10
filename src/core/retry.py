"""The rule after an outcome: give up or retry, and when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from core.outcome import FailedToStart, InfrastructureLost, SpotInterrupted

if TYPE_CHECKING:
    from core.outcome import Outcome

MAX_ATTEMPTS = 10
DEFAULT_ATTEMPTS = 3
# Kinds of outcome that are the application's own, and so are retried only on demand.
OnDemand = Literal["ApplicationFailed", "OutOfMemory"]
# Tries to launch within one attempt: full jitter below 5, 10, 20 … 300 s, half of it on average.
MAX_TRIES = 10
# Tries of a durable step at errors that may pass. A launch's step has fewer: the launch as a whole
# is retried, after longer waits.
STEP_TRIES, LAUNCH_STEP_TRIES = 10, 3
_LAUNCH_BASE, _ATTEMPT_BASE, _CEILING = 5, 30, 300


@dataclass(frozen=True, slots=True)
class Policy:
    """An execution's retry policy: how many attempts, and after which outcomes.

    Attributes:
        max_attempts: number of tries at the work, the first included.
        retry_on: outcomes that are retried on demand: kinds, and exit codes of these kinds.
    """

    max_attempts: int = DEFAULT_ATTEMPTS
    retry_on: frozenset[OnDemand | int] = frozenset()

    def delay(self, outcome: Outcome, attempt: int, seed: str) -> int | None:
        """Return the seconds to wait before the next attempt; None to give up.

        Args:
            outcome: how the attempt ended.
            attempt: number of that attempt, from 1.
            seed: text that makes the jitter this execution's own, and the same at each replay.
        """
        if attempt >= self.max_attempts or not self._is_worth_it(outcome):
            return None
        return _jitter(_ATTEMPT_BASE, attempt, f"{seed}/{attempt}")

    @property
    def longest_backoff(self) -> int:
        """The most seconds that all waits between attempts can take."""
        return sum(_ceiling(_ATTEMPT_BASE, attempt) for attempt in range(1, self.max_attempts))

    def _is_worth_it(self, outcome: Outcome) -> bool:
        if isinstance(outcome, FailedToStart):
            # A start without a task was refused: `relaunch_delay` has retried it already.
            return outcome.transient and outcome.task_arn is not None
        if outcome.kind in get_args(OnDemand):
            return not self.retry_on.isdisjoint((outcome.kind, outcome.exit_code))
        return isinstance(outcome, (SpotInterrupted, InfrastructureLost))


ONCE = Policy(max_attempts=1)


def relaunch_delay(outcome: Outcome, tries: int, timeout: int, seed: str) -> int | None:
    """Return the seconds to wait before RunTask is called again; None to give up.

    Args:
        outcome: the last try's outcome: `failures[]`, a throttle, no answer.
        tries: number of the attempt's tries, at least 1, with the same launch or a new one.
        timeout: seconds that the attempt may take; its waits stay within them.
        seed: the same as for `Policy.delay`.
    """
    if not isinstance(outcome, FailedToStart) or not outcome.transient or tries >= MAX_TRIES:
        return None
    waited = sum(_jitter(_LAUNCH_BASE, n, f"{seed}/{n}") for n in range(1, tries + 1))
    return _jitter(_LAUNCH_BASE, tries, f"{seed}/{tries}") if waited < timeout else None


def _ceiling(base: int, number: int) -> int:
    # 2 ** 10 passes the ceiling from any base.
    return int(min(base * 2 ** min(number - 1, 10), _CEILING))


def _jitter(base: int, number: int, seed: str) -> int:
    """Return full jitter of at least a second, the same at each replay."""
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])
    return 1 + int(drawn % _ceiling(base, number))
