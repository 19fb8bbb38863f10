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
# Kinds of outcome that are the application's own, and so are tried again only on demand.
OnDemand = Literal["ApplicationFailed", "OutOfMemory"]
# Tries to launch within one attempt: full jitter below 5, 10, 20 … 300 s, half of it on average.
MAX_TRIES = 10
# Tries of a durable step at what may pass. Those of a launch are fewer: it is begun again
# as a whole, after longer waits.
STEP_TRIES, LAUNCH_STEP_TRIES = 10, 3
_LAUNCH_BASE, _ATTEMPT_BASE, _CEILING = 5, 30, 300


@dataclass(frozen=True, slots=True)
class Policy:
    """How often an execution tries, and after what.

    Attributes:
        max_attempts: tries at the work, the first included.
        retry_on: what is tried again on demand: kinds of outcome, and exit codes of these kinds.
    """

    max_attempts: int = DEFAULT_ATTEMPTS
    retry_on: frozenset[OnDemand | int] = frozenset()

    def delay(self, outcome: Outcome, attempt: int, seed: str) -> int | None:
        """Return the seconds to wait before the next attempt; None to give up.

        Args:
            outcome: how the attempt ended.
            attempt: which one that was, from 1.
            seed: what makes the jitter this execution's own, and the same at each replay.
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
            # Without a task it was refused, which `relaunch_delay` has waited for already.
            return outcome.transient and outcome.task_arn is not None
        if outcome.kind in get_args(OnDemand):
            return not self.retry_on.isdisjoint((outcome.kind, outcome.exit_code))
        return isinstance(outcome, (SpotInterrupted, InfrastructureLost))


ONCE = Policy(max_attempts=1)


def relaunch_delay(outcome: Outcome, tries: int, timeout: int, seed: str) -> int | None:
    """Return the seconds to wait before RunTask is called again; None to give up.

    Args:
        outcome: what the last try came to: `failures[]`, a throttle, no answer.
        tries: how many the attempt has made, at least 1; with the same launch or a new one.
        timeout: seconds that the attempt may take; its waits stay within them.
        seed: as for `Policy.delay`.
    """
    if not isinstance(outcome, FailedToStart) or not outcome.transient or tries >= MAX_TRIES:
        return None
    waited = sum(_jitter(_LAUNCH_BASE, n, f"{seed}/{n}") for n in range(1, tries + 1))
    return _jitter(_LAUNCH_BASE, tries, f"{seed}/{tries}") if waited < timeout else None


def _ceiling(base: int, number: int) -> int:
    # 2 ** 10 passes the ceiling from any base.
    return int(min(base * 2 ** min(number - 1, 10), _CEILING))


def _jitter(base: int, number: int, seed: str) -> int:
    """Full jitter, at least a second: chance that is the same at each replay."""
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])
    return 1 + int(drawn % _ceiling(base, number))
