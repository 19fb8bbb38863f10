from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from core.outcome import Missing
from core.polling import (
    FIRST_DELAY,
    MAX_CHECKS,
    MAX_POLL_SECONDS,
    STOPPING_DELAY,
    PollState,
    longest_wait,
    poll_delay,
)
from core.retry import LAUNCH_STEP_TRIES, MAX_TRIES, STEP_TRIES
from core.start import LAST_WORD_SECONDS
from core.work import RESERVE_SECONDS
from tests.unit.core.tasks import WORKER, container, stopped

DAY = 86_400
RUNNING = {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "containers": [{"name": WORKER}]}
CREATED = datetime(2026, 3, 2, 12, tzinfo=UTC)
# It was created ten seconds after its attempt began.
BEGUN = int(CREATED.timestamp()) - 10
PENDING = {**RUNNING, "lastStatus": "PENDING", "createdAt": CREATED}


def checks(until: int, poll_seconds: int | None = None) -> list[int]:
    """Return when checks are made, in seconds from the first."""
    moments = [0]
    while moments[-1] <= until:
        moments.append(moments[-1] + poll_delay(len(moments), moments[-1], poll_seconds))
    return moments[:-1]


def test_growing_interval() -> None:
    """Without `pollSeconds` the interval grows by half, from 5 s to 300 s."""
    delays = [later - earlier for earlier, later in pairwise(checks(until=3_600))]
    assert delays[:11] == [5, 8, 11, 17, 25, 38, 57, 85, 128, 192, 288]
    assert set(delays[11:]) == {300}


def test_first_hour() -> None:
    """The first hour takes about 21 checks."""
    assert len(checks(until=3_600)) == 21


def test_after_a_day() -> None:
    """After a day a check an hour, or nearly, is enough."""
    assert poll_delay(300, DAY - 1, None) == 300
    assert poll_delay(300, DAY, None) == MAX_POLL_SECONDS == 3_000


def test_many_checks() -> None:
    """The interval stays at its ceiling however many checks were made."""
    assert poll_delay(10**6, 0, None) == 300


@pytest.mark.parametrize("seconds", [1, 60, 3_000])
def test_fixed_interval(seconds: int) -> None:
    """`pollSeconds` is the interval from first to last."""
    delays = {poll_delay(n, elapsed, seconds) for n in (1, 12, 900) for elapsed in (0, DAY, 9**9)}
    assert delays == {seconds}


def test_longest_wait() -> None:
    """An execution's operations last for some 100 days, or as many checks of a fixed interval."""
    assert 90 <= longest_wait(None) / DAY <= 105
    assert longest_wait(1) == MAX_CHECKS
    assert 100 <= longest_wait(3_000) / DAY <= 105


def test_room_for_other_operations() -> None:
    """The checks leave some of an execution's 3,000 operations to launch, close and retries."""
    assert 2_900 <= MAX_CHECKS <= 2_990


@pytest.mark.parametrize("attempts", range(1, 11))
def test_attempts_share_the_operations(attempts: int) -> None:
    """All attempts' checks, launches and waits fit into an execution's 3,000 operations."""
    # Beside the interval's checks there is one at the start's limit, and those after a stop.
    checks = longest_wait(1, attempts) + 1 + math.ceil(LAST_WORD_SECONDS / STOPPING_DELAY)
    launches, waits = MAX_TRIES * LAUNCH_STEP_TRIES, MAX_TRIES - 1
    # Between two attempts lie a step and a wait; another step closes the record.
    between = (attempts - 1) * (STEP_TRIES + 1)
    assert attempts * (checks + launches + waits) + between + STEP_TRIES <= 3_000
    assert attempts * checks > 2_300


def test_first_state() -> None:
    """Before the first check nothing is known, and no time has passed."""
    assert PollState().to_dict() == {"since": 0, "elapsed": 0}


def test_seen() -> None:
    """A look keeps the task's status and how long it took to get there, and forgets misses."""
    state = PollState(since=1_000, missed_at=10, refused_at=20).seen(RUNNING, WORKER, 30, 60)
    assert state == PollState(since=1_000, status="RUNNING", elapsed=30)


def test_seen_end() -> None:
    """A look at an ended task keeps its outcome."""
    state = PollState().seen(stopped(container(3)), WORKER, 30, 60)
    assert state.status == "STOPPED"
    assert state.outcome is not None
    assert (state.outcome.kind, state.outcome.exit_code) == ("ApplicationFailed", 3)


def test_throttled() -> None:
    """A look that learned nothing changes nothing but the time."""
    state = PollState(since=1_000, status="PENDING", missed_at=10, elapsed=30)
    assert state.throttled(60) == replace(state, elapsed=60)


def test_missed() -> None:
    """Since when ECS has answered without the task is kept; its last status stays."""
    state = PollState(since=1_000, status="PENDING").missed(30).missed(60)
    assert state == PollState(since=1_000, status="PENDING", missed_at=30, elapsed=60)


def test_refused() -> None:
    """Since when ECS has refused looks is kept, until it answers: with the task or without."""
    state = PollState(since=1_000, status="RUNNING", missed_at=10).refused(30).refused(60)
    assert state == replace(state, missed_at=10, refused_at=30, elapsed=60)
    assert state.missed(70).refused_at is None
    assert state.throttled(70).refused_at == 30


@pytest.mark.parametrize("interval", [None, 60, 3_000])
def test_refused_for_long(interval: int | None) -> None:
    """Looks that are refused end the wait after ten minutes, however far apart looks are."""
    state = PollState(status="RUNNING", elapsed=DAY)
    looks = 0
    while not state.is_refused:
        looks += 1
        state = state.refused(state.elapsed + state.delay(900, interval, 9 * DAY))
    assert state.refused_at is not None
    assert 600 <= state.elapsed - state.refused_at <= 720
    assert looks >= 6


def test_ended() -> None:
    """An end from another source is kept like one that a look has seen."""
    state = PollState(status="RUNNING", elapsed=30)
    end = Missing(task_arn="arn")
    assert state.ended(end) == replace(state, outcome=end)


@pytest.mark.parametrize(
    ("state", "gone"),
    [
        (PollState(status="RUNNING", missed_at=10, elapsed=10), False),
        (PollState(status="RUNNING", missed_at=10, elapsed=129), False),
        (PollState(status="RUNNING", missed_at=10, elapsed=130), True),
        (PollState(missed_at=601, elapsed=601), False),
        (PollState(missed_at=10, elapsed=600), False),
        (PollState(missed_at=10, elapsed=601), True),
        (PollState(elapsed=9_999), False),
    ],
)
def test_gone(state: PollState, *, gone: bool) -> None:
    """A task that was seen, or is no longer young, is gone if looks two minutes apart missed it."""
    assert state.is_gone is gone


def test_two_misses_in_a_row() -> None:
    """A look that finds the task between two misses starts their time anew."""
    state = PollState().seen(RUNNING, WORKER, 5, 60).missed(10)
    state = state.seen(RUNNING, WORKER, 90, 60).missed(140)
    assert not state.is_gone
    assert state.missed(260).is_gone


def test_start_in_the_attempts_time() -> None:
    """The start's limit counts from ECS's `createdAt`, in the seconds of the attempt."""
    state = PollState(since=BEGUN).seen(PENDING, WORKER, 15, 60)
    assert state.starts_by == 70
    later = {**PENDING, "createdAt": CREATED + timedelta(milliseconds=1)}
    assert PollState(since=BEGUN).seen(later, WORKER, 15, 60).starts_by == 71


def test_begun() -> None:
    """A container that has begun has no limit to its start any more."""
    pending = PollState(since=BEGUN).seen(PENDING, WORKER, 15, 60)
    state = pending.seen({**RUNNING, "createdAt": CREATED, "startedAt": CREATED}, WORKER, 80, 60)
    assert state.starts_by is None
    assert not state.is_unstarted


@pytest.mark.parametrize(
    ("state", "unstarted"),
    [
        (PollState(starts_by=70, elapsed=69), False),
        (PollState(starts_by=70, elapsed=70), True),
        (PollState(starts_by=70, elapsed=90, missed_at=90), False),
        (PollState(starts_by=70, elapsed=90, refused_at=90), False),
        (PollState(elapsed=9_999), False),
    ],
)
def test_unstarted(state: PollState, *, unstarted: bool) -> None:
    """A start is overdue at its limit, if this look has found it so."""
    assert state.is_unstarted is unstarted


@pytest.mark.parametrize("interval", [None, 60, 3_000])
@pytest.mark.parametrize("elapsed", [0, 100, 1_800, 9_000])
def test_looks_at_the_limits(interval: int | None, elapsed: int) -> None:
    """The next look comes no later than the start's limit, and than the attempt's."""
    state = PollState(starts_by=10_000, elapsed=elapsed)
    assert elapsed + state.delay(40, interval, 20_000) <= 10_000
    assert elapsed + replace(state, starts_by=None).delay(40, interval, 9_500) <= 9_500


@pytest.mark.parametrize(("starts_by", "timeout"), [(70, 2_000), (None, 70)])
def test_limit_that_could_not_be_kept(starts_by: int | None, timeout: int) -> None:
    """A StopTask for which ECS was too busy is repeated soon."""
    state = PollState(elapsed=70, starts_by=starts_by).throttled(100)
    assert state.delay(40, 3_000, timeout) == FIRST_DELAY


def test_stopped() -> None:
    """A task that was asked to stop is looked at every few seconds, for as long as ECS needs."""
    state = PollState(starts_by=70, elapsed=70).stopped()
    looks = 0
    while not state.is_given_up(600):
        looks += 1
        state = state.seen(PENDING, WORKER, state.elapsed + state.delay(40, 3_000, 600), 60)
    assert state.elapsed == 70 + LAST_WORD_SECONDS
    assert looks == LAST_WORD_SECONDS / STOPPING_DELAY


def test_stopped_late() -> None:
    """A StopTask that came late leaves ECS its time, up to twice that time after the timeout."""
    assert not PollState(stopped_at=700, elapsed=819).is_given_up(600)
    assert PollState(stopped_at=700, elapsed=820).is_given_up(600)
    assert not PollState(stopped_at=900, elapsed=839).is_given_up(600)
    assert PollState(stopped_at=900, elapsed=840).is_given_up(600)
    assert 2 * LAST_WORD_SECONDS < RESERVE_SECONDS
    assert PollState(stopped_at=30, elapsed=60).is_given_up(30)


def test_kept_state() -> None:
    """The state kept at each check, which is paid for, is small, and is read back as it was."""
    state = PollState(since=1_700_000_000, status="RUNNING", missed_at=80, elapsed=90)
    state = replace(state, starts_by=1_800, stopped_at=60)
    text = json.dumps(state.to_dict())
    assert len(text) < 150
    assert PollState.from_dict(json.loads(text)) == state
