from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.ecs import MAX_REASON
from core.outcome import (
    Cancelled,
    FailedToStart,
    Missing,
    Outcome,
    TimedOut,
    classify,
    has_begun,
    stop_reason,
)
from core.start import (
    LAST_WORD_SECONDS,
    has_last_word,
    last_word_seconds,
    starts_by,
    unstarted,
    untold,
)
from tests.unit.core.tasks import WORKER, container, stopped

CREATED = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEGAN = CREATED + timedelta(seconds=40)
SIDECAR = {"name": "beside", "lastStatus": "RUNNING"}
WAITING = {"name": WORKER, "lastStatus": "PENDING"}


def alive(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a task that is to run; without containers of its own, its main one waits."""
    task = {"lastStatus": "PENDING", "desiredStatus": "RUNNING", "createdAt": CREATED}
    return {**task, "containers": [*containers] or [WAITING], **changes}


@pytest.mark.parametrize(
    ("task", "begun"),
    [
        pytest.param(alive(), False, id="nothing runs"),
        pytest.param(alive(lastStatus="PROVISIONING"), False, id="no place yet"),
        pytest.param(alive(lastStatus="ACTIVATING"), False, id="nearly"),
        pytest.param(alive(SIDECAR, WAITING), False, id="a container beside it runs"),
        pytest.param(alive({**SIDECAR, "exitCode": 1}, WAITING), False, id="one beside it has run"),
        pytest.param(alive(containers=[]), False, id="no container is told of"),
        pytest.param(alive(lastStatus="RUNNING", startedAt=BEGAN), True, id="the task has started"),
        pytest.param(
            alive({**WAITING, "lastStatus": "RUNNING"}, {**SIDECAR, "lastStatus": "PENDING"}),
            True,
            id="it runs, one beside it does not yet",
        ),
        pytest.param(alive({**WAITING, "exitCode": 0}), True, id="it has run already"),
    ],
)
def test_begun(task: dict[str, Any], *, begun: bool) -> None:
    """The main container has begun if it runs, has run, or its task has started."""
    assert has_begun(task, WORKER) is begun
    expected = None if begun else CREATED + timedelta(seconds=900)
    assert starts_by(task, WORKER, 900) == expected


@pytest.mark.parametrize(
    ("task", "seconds"),
    [
        pytest.param(alive(), None, id="another version's record sets none"),
        pytest.param(alive(desiredStatus="STOPPED"), 900, id="somebody has stopped it"),
        pytest.param(alive(createdAt=None), 900, id="nobody knows how old it is"),
        pytest.param(stopped(container(None)) | {"createdAt": CREATED}, 900, id="it is over"),
    ],
)
def test_no_limit(task: dict[str, Any], seconds: int | None) -> None:
    """A start has no limit where none is set, where the task is to stop, or is of unknown age."""
    assert starts_by(task, WORKER, seconds) is None


@pytest.mark.parametrize("reason", [stop_reason(unstarted(31_622_400)), stop_reason(TimedOut())])
def test_final_event(reason: str) -> None:
    """A task that we stopped for its time failed to start, and may try again, if it never ran."""
    assert len(reason) <= MAX_REASON
    ours = {"stopCode": "UserInitiated", "stoppedReason": reason}
    never = classify(stopped(container(None), **ours), WORKER)
    assert isinstance(never, FailedToStart)
    assert never.transient
    assert "startTimeoutSeconds" in never.advice
    for began in (
        stopped(container(137), **ours),
        stopped(container(None), startedAt=BEGAN, **ours),
        stopped(container(0), startedAt=BEGAN, **ours),
    ):
        assert isinstance(classify(began, WORKER), TimedOut)


LATE = TimedOut(task_arn="arn")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        pytest.param(LATE, True, id="not seen to run"),
        pytest.param(replace(LATE, started_at="2026-03-02T12:00:40.000Z"), False, id="ran"),
        pytest.param(replace(LATE, exit_code=137), False, id="ended"),
        pytest.param(Cancelled(task_arn="arn"), False, id="nobody waits"),
        pytest.param(Missing(task_arn="arn"), False, id="forgotten"),
        pytest.param(FailedToStart(task_arn="arn", transient=True), False, id="never began"),
    ],
)
def test_last_word(ending: Outcome, *, expected: bool) -> None:
    """ECS has the last word on a task that was stopped for its time and was not seen to run."""
    assert has_last_word(ending) is expected


@pytest.mark.parametrize(("timeout", "seconds"), [(1, 1), (119, 119), (120, 120), (86_400, 120)])
def test_time_for_the_last_word(timeout: int, seconds: int) -> None:
    """ECS is asked for the last word for two minutes, and no longer than the attempt may take."""
    assert last_word_seconds(timeout) == seconds
    assert LAST_WORD_SECONDS == 120
    assert f"in {seconds} s" in untold(timeout).detail
