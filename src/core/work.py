"""The work that a payload asks for: its defaults, and times that fit into ExecutionTimeout."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from core.input import Input, check_lasting, named, place
from core.limits import (
    check_command,
    check_container,
    check_environment,
    check_size,
    check_tags,
    definition,
)
from core.payload import Payload, check_seconds, read
from core.polling import longest_wait
from core.reading import InvalidRequestError
from core.retry import MAX_ATTEMPTS, ONCE, Policy
from core.start import DEFAULT_START_SECONDS, LAST_WORD_SECONDS, last_word_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.flow import Flow
    from core.job import Job

# No code of ours runs once an execution has timed out, so each execution reserves this time: to
# stop a late task and to write its end.
RESERVE_SECONDS = 300
# The longest that a durable execution can last: 366 days.
_LONGEST = 31_622_400


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms that are the same for every payload of a stack.

    Attributes:
        stack: the stack's name; the families that it may run begin with it.
        execution_timeout: the durable functions' ExecutionTimeout, in seconds.
        bucket: name of the data bucket.
        retention_days: days for which the bucket keeps objects.
        default: the job of a payload that does not say what runs.
    """

    stack: str
    execution_timeout: int
    bucket: str
    retention_days: int
    default: Job


@dataclass(frozen=True, slots=True)
class Work:
    """The work that an execution was asked to do, with every default filled in.

    Attributes:
        job: the job.
        timeout_seconds: how long one attempt may take, from its request to its end.
        start_timeout_seconds: how long its container may take to begin, once ECS has its task.
        heartbeat_seconds: how long its worker may report no progress; None for no limit.
        poll_seconds: fixed interval between checks; None for the growing one.
        policy: the retry policy.
        told: the container's values of the fields that may be long, by field.
        body: bytes of the input's object; None where the stack puts none.
    """

    job: Job
    timeout_seconds: int
    start_timeout_seconds: int
    heartbeat_seconds: int | None = None
    poll_seconds: int | None = None
    policy: Policy = ONCE
    told: Mapping[str, object] = field(default_factory=dict)
    body: bytes | None = None


def parse(payload: object, flow: Flow, execution_id: str, terms: Terms) -> Work:
    """Validate a payload, and fill in its defaults.

    Args:
        payload: the invocation's event, as JSON gave it.
        flow: the payload's flow.
        execution_id: the execution's id.
        terms: the stack's terms.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    given = read(payload, flow)
    policy = given.policy(flow)
    timeout = _timeout(given, flow, terms.execution_timeout)
    check_seconds(given, timeout)
    start = given.start_timeout_seconds or min(DEFAULT_START_SECONDS, timeout)
    check_size(given.cpu, given.memory_by_attempt, policy.max_attempts, flow)
    placed = _input(given, execution_id, terms)
    check_lasting(placed, given.input, _longest(timeout, policy), terms.retention_days)
    return Work(
        _job(given, placed, terms),
        timeout_seconds=timeout,
        start_timeout_seconds=start,
        heartbeat_seconds=given.heartbeat_seconds,
        poll_seconds=given.poll_seconds,
        policy=policy,
        told=given.told(placed.text),
        body=placed.body,
    )


def _input(given: Payload, execution_id: str, terms: Terms) -> Input:
    if given.input_uri is not None:
        return named(given.input_uri)
    return place(given.input, terms.bucket, execution_id)


def _job(given: Payload, placed: Input, terms: Terms) -> Job:
    """Return the job, checked against ECS's bounds."""
    job = terms.default
    if given.task_definition is not None:
        family, revision = definition(given.task_definition, terms.stack)
        job = replace(job, family=family, revision=revision)
    if given.container_name is not None:
        check_container(given.container_name)
        job = replace(job, container=given.container_name)
    if given.command is not None:
        check_command(given.command)
    check_environment(given.environment, given.shorthand)
    check_tags(given.tags)
    return replace(
        job,
        command=given.command or (),
        environment={**given.environment, **given.shorthand},
        memory=given.memory_by_attempt,
        cpu=given.cpu,
        ephemeral_storage=given.ephemeral_storage,
        capacity=given.capacity,
        tags=given.tags,
        input=placed.text,
        input_uri=placed.uri,
        input_sha256=placed.sha256,
    )


def _longest(timeout: int, policy: Policy) -> int:
    """Return the seconds that all attempts, with the times between them, can take."""
    between = policy.longest_backoff + (policy.max_attempts - 1) * last_word_seconds(timeout)
    return policy.max_attempts * timeout + between + RESERVE_SECONDS


def _timeout(given: Payload, flow: Flow, execution_timeout: int) -> int:
    """Return the seconds that an attempt may take: the payload's, or all that there is room for."""
    room, policy = execution_timeout - RESERVE_SECONDS, given.policy(flow)
    limit = _limit(flow, room, given.poll_seconds, policy)
    if limit.seconds < 1:
        whole = f"ExecutionTimeout ({execution_timeout} s) less {RESERVE_SECONDS} s"
        expected = f"at most {_most_attempts(room)}: the waits between more would take up {whole}"
        raise InvalidRequestError("maxAttempts", policy.max_attempts, expected)
    timeout = given.timeout_seconds or min(limit.seconds, room)
    if timeout > limit.seconds:
        expected = f"at most {limit.seconds} s, {limit.reason}"
        raise InvalidRequestError("timeoutSeconds", timeout, expected)
    return timeout


def _share(seconds: int, policy: Policy) -> int:
    """Return the seconds of each attempt if all attempts and the times between them take these."""
    attempts, left = policy.max_attempts, seconds - policy.longest_backoff
    # ECS's last word on a stopped start comes before the next attempt. It takes at most as long as
    # the attempt itself, and at most this constant.
    share = (left - (attempts - 1) * LAST_WORD_SECONDS) // attempts
    return share if share >= LAST_WORD_SECONDS else left // (2 * attempts - 1)


def _most_attempts(seconds: int) -> int:
    """Return the highest number of attempts that leaves each a second, with the times between."""
    numbers = range(1, MAX_ATTEMPTS + 1)
    return max((n for n in numbers if _share(seconds, Policy(n)) >= 1), default=1)


class _Limit(NamedTuple):
    seconds: int
    reason: str


def _limit(flow: Flow, execution: int, poll_seconds: int | None, policy: Policy) -> _Limit:
    """Return how long an attempt may take in a flow, and what sets the limit."""
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
