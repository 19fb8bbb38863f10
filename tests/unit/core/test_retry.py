from __future__ import annotations

from typing import Any

import pytest

from core.outcome import (
    KINDS,
    NOT_FETCHED,
    ApplicationFailed,
    FailedToStart,
    Outcome,
    SpotInterrupted,
)
from core.retry import MAX_ATTEMPTS, MAX_TRIES, ONCE, Policy, relaunch_delay

SEEDS = [f"arn:execution-{n}" for n in range(2_000)]
LOST = SpotInterrupted(task_arn="arn:task")
REFUSED = FailedToStart(detail="Capacity is unavailable at this time.", transient=True)
DAY = 86_400
# Seconds below which the wait after the first, second, third attempt is drawn; likewise launches.
BETWEEN_ATTEMPTS = [30, 60, 120, 240, 300, 300, 300, 300, 300]
BETWEEN_LAUNCHES = [5, 10, 20, 40, 80, 160, 300, 300, 300]

ALWAYS = {"SpotInterrupted", "InfrastructureLost"}
ON_DEMAND = {"ApplicationFailed", "OutOfMemory"}


def ending(kind: str, **facts: Any) -> Outcome:
    """Return an outcome of a task that was there."""
    return KINDS[kind](task_arn="arn:task", **facts)


@pytest.mark.parametrize(
    "retry_on", [set(), {"ApplicationFailed"}, {"OutOfMemory"}, ON_DEMAND], ids=sorted
)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind: str, retry_on: set[Any]) -> None:
    """Lost capacity is tried again, the application's own failures on demand, nothing else."""
    delay = Policy(3, frozenset(retry_on)).delay(ending(kind), 1, "seed")
    assert (delay is not None) is (kind in ALWAYS | retry_on)


@pytest.mark.parametrize("code", [None, 0, 3, 75, 137, 143])
@pytest.mark.parametrize("kind", KINDS)
def test_exit_codes(kind: str, code: int | None) -> None:
    """An exit code that is asked for retries the application's own failures with it, alone."""
    policy = Policy(3, frozenset({75, 137}))
    delay = policy.delay(ending(kind, exit_code=code), 1, "seed")
    assert (delay is not None) is (kind in ALWAYS or (kind in ON_DEMAND and code in (75, 137)))


@pytest.mark.parametrize("kind", sorted(ON_DEMAND))
def test_exit_code_beside_a_kind(kind: str) -> None:
    """A payload may name a kind and an exit code: either is enough for a retry."""
    policy = Policy(3, frozenset({75, "OutOfMemory"}))
    delays = [policy.delay(ending(kind, exit_code=code), 1, "seed") for code in (75, 3)]
    assert [delay is not None for delay in delays] == [True, kind == "OutOfMemory"]


@pytest.mark.parametrize("transient", [False, True])
def test_exit_code_of_what_has_not_begun(*, transient: bool) -> None:
    """A start that failed is retried if its cause may pass, whatever exit codes are asked for."""
    outcome = FailedToStart(task_arn="arn:task", exit_code=NOT_FETCHED, transient=transient)
    policies = [Policy(3), Policy(3, frozenset({NOT_FETCHED}))]
    delays = [policy.delay(outcome, 1, "seed") for policy in policies]
    assert [delay is not None for delay in delays] == [transient] * 2


@pytest.mark.parametrize("retry_on", [set(), ON_DEMAND], ids=sorted)
@pytest.mark.parametrize("task_arn", [None, "arn:task"])
@pytest.mark.parametrize("transient", [False, True])
def test_failed_start(retry_on: set[Any], task_arn: str | None, *, transient: bool) -> None:
    """A task that could not start is tried again if its cause may pass."""
    # A launch that got no task has waited already: it uses up no attempt.
    outcome = FailedToStart(task_arn=task_arn, transient=transient)
    delay = Policy(3, frozenset(retry_on)).delay(outcome, 1, "seed")
    assert (delay is not None) is (transient and task_arn is not None)


@pytest.mark.parametrize("retry_on", [set(), ON_DEMAND], ids=sorted)
@pytest.mark.parametrize("max_attempts", [1, 2, 3, MAX_ATTEMPTS])
def test_last_attempt(max_attempts: int, retry_on: set[Any]) -> None:
    """Every attempt but the last may be followed by another."""
    policy = Policy(max_attempts, frozenset(retry_on))
    tried_again = [
        attempt for attempt in range(1, 12) if policy.delay(LOST, attempt, "seed") is not None
    ]
    assert tried_again == list(range(1, max_attempts))


def test_defaults() -> None:
    """An execution has three attempts by default, and the application's failure is not retried."""
    assert Policy() == Policy(3, frozenset())
    assert Policy(1) == ONCE
    assert Policy().delay(ApplicationFailed(exit_code=3), 1, "seed") is None


@pytest.mark.parametrize(("attempt", "below"), list(enumerate(BETWEEN_ATTEMPTS, 1)))
def test_delay_bounds(attempt: int, below: int) -> None:
    """The wait is drawn from one second to a ceiling that doubles up to five minutes."""
    delays = {Policy(10).delay(LOST, attempt, seed) for seed in SEEDS}
    assert min(d for d in delays if d is not None) < 1 + 0.1 * below
    assert max(d for d in delays if d is not None) > 0.9 * below
    assert delays <= set(range(1, below + 1))


def test_every_delay_occurs() -> None:
    """The jitter is full: each second up to the ceiling is drawn by some execution."""
    drawn = {Policy().delay(LOST, 1, seed) for seed in SEEDS}
    assert drawn == set(range(1, 31))


def test_delay_is_the_same_at_each_replay() -> None:
    """An execution waits as long at a replay as it did at first, whatever the outcome says."""
    first = [Policy(10).delay(LOST, attempt, "seed") for attempt in range(1, 10)]
    other = ending("InfrastructureLost", detail="gone", stopped_at="2026-03-02T10:00:00Z")
    assert [Policy(10).delay(other, attempt, "seed") for attempt in range(1, 10)] == first
    # Pinned, because a replay runs in another process.
    assert first[:3] == [20, 14, 9]


def test_executions_differ() -> None:
    """Executions that failed together do not come back together."""
    for attempt in (1, 2, 5):
        delays = [Policy(10).delay(LOST, attempt, seed) for seed in SEEDS[:300]]
        assert max(delays.count(delay) for delay in set(delays)) <= 30
    walks = {
        tuple(Policy(10).delay(LOST, attempt, seed) for attempt in range(1, 10)) for seed in SEEDS
    }
    assert len(walks) == len(SEEDS)


@pytest.mark.parametrize("max_attempts", range(1, MAX_ATTEMPTS + 1))
def test_longest_backoff(max_attempts: int) -> None:
    """No execution's waits between attempts take longer than the policy says, nor much less."""
    policy = Policy(max_attempts)
    assert policy.longest_backoff == sum(BETWEEN_ATTEMPTS[: max_attempts - 1])
    totals = [
        sum(policy.delay(LOST, attempt, seed) or 0 for attempt in range(1, max_attempts))
        for seed in SEEDS
    ]
    assert max(totals) <= policy.longest_backoff
    assert max(totals) > 0.7 * policy.longest_backoff or max_attempts == 1


@pytest.mark.parametrize(
    "outcome",
    [
        FailedToStart(detail="Unable to assume the service linked role"),
        *(KINDS[kind]() for kind in KINDS if kind != "FailedToStart"),
    ],
    ids=lambda outcome: outcome.kind,
)
def test_no_other_launch(outcome: Outcome) -> None:
    """A launch is retried only after a refusal that may pass."""
    assert relaunch_delay(outcome, 1, DAY, "seed") is None


@pytest.mark.parametrize(("tries", "below"), list(enumerate(BETWEEN_LAUNCHES, 1)))
def test_relaunch_bounds(tries: int, below: int) -> None:
    """The wait between launches is drawn from one second to a ceiling that doubles too."""
    delays = [relaunch_delay(REFUSED, tries, DAY, seed) for seed in SEEDS]
    assert all(delay is not None and 1 <= delay <= below for delay in delays)
    assert len(set(delays)) > 0.9 * below


def test_last_launch() -> None:
    """An attempt asks for its task ten times at most."""
    assert MAX_TRIES == 10
    assert relaunch_delay(REFUSED, 10, DAY, "seed") is None
    assert relaunch_delay(REFUSED, 11, DAY, "seed") is None


@pytest.mark.parametrize("timeout", [1, 2, 5, 30, 300, 3_000])
def test_launches_within_the_timeout(timeout: int) -> None:
    """The waits between an attempt's launches end before the attempt's timeout does."""
    for seed in SEEDS[:200]:
        waits: list[int] = []
        while (delay := relaunch_delay(REFUSED, len(waits) + 1, timeout, seed)) is not None:
            waits.append(delay)
        assert sum(waits) < timeout
        assert len(waits) < MAX_TRIES
        assert len(waits) == MAX_TRIES - 1 or timeout < sum(BETWEEN_LAUNCHES)
