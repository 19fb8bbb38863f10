from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from core.outcome import FailedToStart, InfrastructureLost, Outcome, SpotInterrupted
from core.retry import MAX_ATTEMPTS, MAX_TRIES, OnDemand, Policy, relaunch_delay
from tests.property.test_outcome import OUTCOMES

POLICIES = st.builds(
    Policy,
    st.integers(1, MAX_ATTEMPTS),
    st.frozensets(st.sampled_from(get_args(OnDemand)) | st.integers(1, 255)),
)
TASKS = st.just("arn:task")
LOST = st.builds(SpotInterrupted, task_arn=TASKS) | st.builds(InfrastructureLost, task_arn=TASKS)
# Mostly such as are tried again, or no sequence would become long.
SEQUENCES = st.lists(LOST | OUTCOMES, min_size=MAX_ATTEMPTS, max_size=MAX_ATTEMPTS + 2)
REFUSALS = st.builds(FailedToStart, transient=st.just(True))  # noqa: FBT003 - a strategy's value
SEEDS = st.text(max_size=40)


@given(POLICIES, SEQUENCES, SEEDS)
def test_any_sequence(policy: Policy, outcomes: list[Outcome], seed: str) -> None:
    """There are never more attempts than allowed, nor longer waits than the policy says."""
    delays = list(_waits(policy, outcomes, seed))
    assert len(delays) + 1 <= policy.max_attempts
    assert all(delay >= 1 for delay in delays)
    assert sum(delays) <= policy.longest_backoff
    assert list(_waits(policy, outcomes, seed)) == delays


@given(POLICIES, OUTCOMES | LOST, st.integers(1, MAX_ATTEMPTS + 1), SEEDS)
def test_what_is_tried_again(policy: Policy, outcome: Outcome, attempt: int, seed: str) -> None:
    """A success, a stop, a timeout and an unknown end are never retried, whatever the payload."""
    if policy.delay(outcome, attempt, seed) is None:
        return
    assert attempt < policy.max_attempts
    always = {"SpotInterrupted", "InfrastructureLost", "FailedToStart"}
    asked_for = {outcome.kind, outcome.exit_code} & policy.retry_on
    assert outcome.kind in always or (outcome.kind in get_args(OnDemand) and asked_for)
    if isinstance(outcome, FailedToStart):
        assert outcome.transient
        assert outcome.task_arn is not None


@given(OUTCOMES | LOST, st.frozensets(st.sampled_from(get_args(OnDemand))), SEEDS)
def test_exit_codes(outcome: Outcome, kinds: frozenset[OnDemand], seed: str) -> None:
    """A retried exit code has the effect of its kind, but for ends with this code alone."""
    code = outcome.exit_code
    delays = [
        Policy(3, kinds | codes).delay(outcome, 1, seed)
        for codes in (frozenset(range(256)) - {code}, frozenset(range(256)))
    ]
    own = {kind for kind in get_args(OnDemand) if kind == outcome.kind and code is not None}
    assert delays == [Policy(3, asked).delay(outcome, 1, seed) for asked in (kinds, kinds | own)]


@given(st.lists(REFUSALS | OUTCOMES, min_size=MAX_TRIES), st.integers(1, 31_622_400), SEEDS)
def test_any_launches(outcomes: list[Outcome], timeout: int, seed: str) -> None:
    """An attempt calls RunTask at most ten times, within its timeout, whatever the refusals."""
    delays = []
    for launch, outcome in enumerate(outcomes, 1):
        if (delay := relaunch_delay(outcome, launch, timeout, seed)) is None:
            break
        delays.append(delay)
    assert len(delays) + 1 <= MAX_TRIES
    assert sum(delays) < timeout
    assert all(isinstance(o, FailedToStart) and o.transient for o in outcomes[: len(delays)])


def _waits(policy: Policy, outcomes: list[Outcome], seed: str) -> list[int]:
    delays = []
    for attempt, outcome in enumerate(outcomes, 1):
        if (delay := policy.delay(outcome, attempt, seed)) is None:
            break
        delays.append(delay)
    return delays
