from __future__ import annotations

import pytest

from core.outcome import FailedToStart, Outcome, classify
from core.retry import Policy
from tests.field import CASES, CONTAINER, Case

EACH_CASE = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
# The stop codes of a task that its own containers ended; ECS leaves the code out at times.
OF_ITS_OWN = ("EssentialContainerExited", "TaskFailedToStart", None)


def outcome_of(case: Case, **changes: object) -> Outcome:
    """Classify a case's task, with changes."""
    outcome = classify({**case.task, **changes}, CONTAINER)
    assert outcome is not None
    return outcome


@EACH_CASE
def test_kind(case: Case) -> None:
    """An end that people have met is of the kind that it was, and passes or lasts as it did."""
    outcome = outcome_of(case)
    assert outcome.kind == case.kind
    assert getattr(outcome, "transient", None) == case.transient


@EACH_CASE
def test_advice(case: Case) -> None:
    """The advice names what had to be mended, or the container that ended the task."""
    outcome = outcome_of(case)
    assert [word for word in case.names if word not in outcome.advice] == []
    if outcome.ended_by:
        assert outcome.ended_by.name in outcome.detail


@EACH_CASE
def test_retry(case: Case) -> None:
    """Another attempt follows an end that passes, and none that lasts, nor work that is done."""
    delays = [Policy().delay(outcome_of(case), attempt, "seed") for attempt in (1, 2, 3)]
    assert [delay is not None for delay in delays].index(False) == case.tasks - 1


def told_by_the_container() -> list[str]:
    """Name the cases in which the main container's own code or reason says it all."""
    own = {name: case.task["containers"] for name, case in CASES.items()}
    return [
        name
        for name, containers in own.items()
        if CASES[name].task.get("stopCode") in OF_ITS_OWN
        and any(c["name"] == CONTAINER and {"exitCode", "reason"} & c.keys() for c in containers)
    ]


@pytest.mark.parametrize("stop_code", OF_ITS_OWN)
@pytest.mark.parametrize("name", told_by_the_container())
def test_under_another_stop_code(name: str, stop_code: str | None) -> None:
    """A main container that tells of its end is believed under each stop code of its own."""
    case = CASES[name]
    outcome = outcome_of(case, stopCode=stop_code)
    assert outcome.kind == case.kind
    if isinstance(outcome, FailedToStart):
        assert outcome.transient is case.transient
    assert [word for word in case.names if word not in outcome.advice] == []
