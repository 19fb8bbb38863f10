"""The work that a payload asks for: its defaults, and times that fit into ExecutionTimeout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from core.payload import Payload, check, read
from core.polling import longest_wait
from core.reading import InvalidRequestError
from core.retry import MAX_ATTEMPTS, ONCE, Policy
from core.start import DEFAULT_START_SECONDS, LAST_WORD_SECONDS

if TYPE_CHECKING:
    from core.flow import Flow
    from core.job import Job

# No code of ours runs once an execution has timed out, so each keeps this time for itself: to
# stop a late task and to write down how it ended.
RESERVE_SECONDS = 300
# The longest that a durable execution can last: 366 days.
_LONGEST = 31_622_400


@dataclass(frozen=True, slots=True)
class Work:
    """What an execution was asked to do, with every default filled in.

    Attributes:
        job: what runs.
        timeout_seconds: how long one attempt may take, from its request to its end.
        start_timeout_seconds: how long its container may take to begin, once ECS has its task.
        poll_seconds: fixed interval between checks; None for the growing one.
        policy: how often to try, and after what.
    """

    job: Job
    timeout_seconds: int
    start_timeout_seconds: int
    poll_seconds: int | None = None
    policy: Policy = ONCE


def parse(payload: object, flow: Flow, execution_timeout: int, default: Job) -> Work:
    """Validate a payload, and fill in its defaults.

    Args:
        payload: the invocation's event, as JSON gave it.
        flow: the flow it is for.
        execution_timeout: the durable functions' ExecutionTimeout, in seconds.
        default: what runs, as far as the payload does not say it.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    given = read(payload, flow)
    timeout = _timeout(given, flow, execution_timeout)
    check(given, timeout)
    start = given.start_timeout_seconds or min(DEFAULT_START_SECONDS, timeout)
    job = replace(default, environment=given.environment)
    return Work(job, timeout, start, given.interval, given.policy)


def _timeout(given: Payload, flow: Flow, execution_timeout: int) -> int:
    """Return how long an attempt may take: as it was asked, or else as long as there is room."""
    room = execution_timeout - RESERVE_SECONDS
    limit = _limit(flow, room, given.interval, given.policy)
    if limit.seconds < 1:
        whole = f"ExecutionTimeout ({execution_timeout} s) less {RESERVE_SECONDS} s"
        expected = f"at most {_most_attempts(room)}: the waits between more would take up {whole}"
        raise InvalidRequestError("maxAttempts", given.policy.max_attempts, expected)
    timeout = given.timeout_seconds or min(limit.seconds, room)
    if timeout > limit.seconds:
        expected = f"at most {limit.seconds} s, {limit.reason}"
        raise InvalidRequestError("timeoutSeconds", timeout, expected)
    return timeout


def _share(seconds: int, policy: Policy) -> int:
    """Return how long each attempt may take if all, with what lies between them, take so long."""
    attempts, left = policy.max_attempts, seconds - policy.longest_backoff
    # Before another attempt lies ECS's last word on a start that was stopped, which may take as
    # long as the attempt itself, and no longer than this.
    share = (left - (attempts - 1) * LAST_WORD_SECONDS) // attempts
    return share if share >= LAST_WORD_SECONDS else left // (2 * attempts - 1)


def _most_attempts(seconds: int) -> int:
    """Return how many attempts, with what lies between them, leave each a second."""
    numbers = range(1, MAX_ATTEMPTS + 1)
    return max((n for n in numbers if _share(seconds, Policy(n)) >= 1), default=1)


class _Limit(NamedTuple):
    seconds: int
    reason: str


def _limit(flow: Flow, execution: int, poll_seconds: int | None, policy: Policy) -> _Limit:
    """How long an attempt may take in a flow, and what sets the limit."""
    if not flow.is_awaited:
        # The container may outlive the execution, which is over once the task is started.
        return _Limit(_LONGEST, "as long as an execution of the other flows could wait")
    attempts = policy.max_attempts
    share = _share(execution, policy)
    checks = share if flow.has_callback else longest_wait(poll_seconds, attempts)
    if checks < share:
        hint = "use a larger pollSeconds or the EventBridge flow, which needs no checks"
        return _Limit(checks, f"what an execution's operations can check ({hint})")
    whole = f"the stack's ExecutionTimeout less {RESERVE_SECONDS} s"
    if attempts > 1:
        whole = f"the share of each of {attempts} attempts, with waits between them, in {whole}"
    return _Limit(share, whole)
