from __future__ import annotations

from itertools import pairwise

import pytest

from core.capacity import LaunchCapacity, first, following
from core.job import Capacity
from core.outcome import (
    ApplicationFailed,
    FailedToStart,
    InfrastructureLost,
    Missing,
    OtherContainer,
    Outcome,
    OutOfMemory,
    SpotInterrupted,
    StoppedByUser,
    Succeeded,
    TimedOut,
)

ON_DEMAND, SPOT = LaunchCapacity
NO_ROOM = "Capacity is unavailable at this time. Please try again later."
INTERRUPTED = SpotInterrupted(task_arn="arn:task")
REFUSED = FailedToStart(detail=NO_ROOM, transient=True)
ENDED = FailedToStart(task_arn="arn:task", detail=NO_ROOM, transient=True)
# Ends that say nothing of Spot's room.
OTHERS: list[Outcome] = [
    InfrastructureLost(task_arn="arn:task"),
    ApplicationFailed(task_arn="arn:task", exit_code=3),
    OutOfMemory(task_arn="arn:task"),
    TimedOut(task_arn="arn:task"),
    StoppedByUser(task_arn="arn:task"),
    Missing(task_arn="arn:task"),
    Succeeded(task_arn="arn:task"),
    FailedToStart(detail="You've reached the limit on the number of vCPUs", transient=True),
    FailedToStart(detail="InsufficientFreeAddressesInSubnet", transient=True),
    FailedToStart(detail="CannotPullContainerError: i/o timeout", transient=True),
    FailedToStart(detail="Rate exceeded", transient=True),
    FailedToStart(),
]


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (Capacity.ON_DEMAND, ON_DEMAND),
        (Capacity.SPOT, SPOT),
        (Capacity.SPOT_THEN_ON_DEMAND, SPOT),
    ],
)
def test_first(wanted: Capacity, asked: LaunchCapacity) -> None:
    """An execution begins on Spot unless its job wants to be on demand."""
    assert first(wanted) is asked


@pytest.mark.parametrize("outcome", [INTERRUPTED, REFUSED, ENDED])
@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (Capacity.ON_DEMAND, [ON_DEMAND, ON_DEMAND]),
        (Capacity.SPOT, [SPOT, SPOT]),
        (Capacity.SPOT_THEN_ON_DEMAND, [SPOT, ON_DEMAND]),
    ],
)
def test_want_of_capacity(outcome: Outcome, wanted: Capacity, asked: list[LaunchCapacity]) -> None:
    """Spot that is taken away, or not there, changes the capacity of a job that may change it."""
    assert [first(wanted), following(wanted, first(wanted), outcome)] == asked


@pytest.mark.parametrize("outcome", OTHERS, ids=repr)
@pytest.mark.parametrize("wanted", Capacity)
def test_other_ends(outcome: Outcome, wanted: Capacity) -> None:
    """An end that has nothing to do with capacity leaves the next launch on the same one."""
    assert following(wanted, first(wanted), outcome) is first(wanted)


@pytest.mark.parametrize("outcome", [INTERRUPTED, REFUSED, *OTHERS], ids=repr)
def test_no_way_back(outcome: Outcome) -> None:
    """An execution that is on demand stays there, however its launches end."""
    assert following(Capacity.SPOT_THEN_ON_DEMAND, ON_DEMAND, outcome) is ON_DEMAND


def test_course() -> None:
    """An interruption, a lost host and a failure run on Spot, then twice on demand."""
    ends = [INTERRUPTED, InfrastructureLost(), ApplicationFailed(exit_code=3)]
    course = [first(Capacity.SPOT_THEN_ON_DEMAND)]
    for end in ends:
        course.append(following(Capacity.SPOT_THEN_ON_DEMAND, course[-1], end))
    assert course[:3] == [SPOT, ON_DEMAND, ON_DEMAND]
    assert all(before is SPOT or after is ON_DEMAND for before, after in pairwise(course))


def test_name_of_another_container() -> None:
    """A container whose name sounds like missing capacity does not change the capacity."""
    agent = OtherContainer(name="AGENT", exit_code=1)
    outcome = FailedToStart(task_arn="arn:task", detail=agent.sentence, ended_by=agent)
    assert "AGENT" in outcome.detail
    assert following(Capacity.SPOT_THEN_ON_DEMAND, SPOT, outcome) is SPOT


@pytest.mark.parametrize(("asked", "provider"), [(ON_DEMAND, "FARGATE"), (SPOT, "FARGATE_SPOT")])
def test_provider(asked: LaunchCapacity, provider: str) -> None:
    """A launch's capacity has the same name as in outcomes, which is ECS's."""
    assert asked.provider == provider
