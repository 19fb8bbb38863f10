from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.attempts import entries
from core.capacity import LaunchCapacity
from core.outcome import KINDS, FailedToStart, Outcome, SpotInterrupted, Succeeded
from tests.unit.core.test_record import NEW

LOST = SpotInterrupted(
    task_arn="arn:task",
    exit_code=137,
    created_at="2026-03-02T09:14:32.100Z",
    pull_started_at="2026-03-02T09:14:50.500Z",
    pull_stopped_at="2026-03-02T09:14:58.750Z",
    started_at="2026-03-02T09:15:00.250Z",
    stopping_at="2026-03-02T09:15:10.800Z",
    stopped_at="2026-03-02T09:15:10.123Z",
    capacity="FARGATE_SPOT",
    learned_by="event",
    learned_at="2026-03-02T09:15:11.500Z",
    detail="Your Spot Task was interrupted.",
)
FIRST = {
    "attempt": 1,
    "kind": "SpotInterrupted",
    "taskArn": "arn:task",
    "exitCode": 137,
    "createdAt": "2026-03-02T09:14:32.100Z",
    "pullStartedAt": "2026-03-02T09:14:50.500Z",
    "pullStoppedAt": "2026-03-02T09:14:58.750Z",
    "startedAt": "2026-03-02T09:15:00.250Z",
    "stoppingAt": "2026-03-02T09:15:10.800Z",
    "stoppedAt": "2026-03-02T09:15:10.123Z",
    "capacity": "FARGATE_SPOT",
    "learnedBy": "event",
    "learnedAt": "2026-03-02T09:15:11.500Z",
}


def test_entry() -> None:
    """An attempt that has ended leaves how it ended, its task, the task's times and capacity."""
    assert entries(NEW, LOST) == [FIRST]


def test_what_is_not_known() -> None:
    """The entry of an attempt without a task says nothing but how it ended."""
    refused = FailedToStart(detail="no room", transient=True)
    assert entries(NEW, refused) == [{"attempt": 1, "kind": "FailedToStart"}]


@pytest.mark.parametrize(
    ("asked", "told", "kept"),
    [
        (LaunchCapacity.SPOT, None, "FARGATE_SPOT"),
        (LaunchCapacity.ON_DEMAND, None, "FARGATE"),
        (LaunchCapacity.SPOT, "FARGATE", "FARGATE"),
    ],
)
def test_capacity_that_ecs_has_not_told(asked: LaunchCapacity, told: str | None, kept: str) -> None:
    """An entry's capacity is ECS's word, and that of the last launch where ECS has none."""
    [entry] = entries(replace(NEW, capacity=asked), FailedToStart(capacity=told))
    assert entry["capacity"] == kept


def test_order() -> None:
    """A later attempt's entry follows those that the record has, of whichever version they are."""
    kept = ({"attempt": 1, "since": "later"}, {"attempt": 2})
    later = replace(NEW, attempt=3, attempts=kept)
    assert entries(later, Succeeded(exit_code=0)) == [
        *kept,
        {"attempt": 3, "kind": "Succeeded", "exitCode": 0},
    ]


def test_attempt_that_has_not_begun() -> None:
    """A record that is closed between two attempts has no entry of the one that never began."""
    between = replace(NEW, attempt=2, launch=0, attempts=(FIRST,))
    assert entries(between, LOST) == [FIRST]


def test_at_most_ten() -> None:
    """The last ten entries are kept, however many there are."""
    kept = tuple({"attempt": number} for number in range(1, 13))
    numbers = [entry["attempt"] for entry in entries(replace(NEW, attempt=13, attempts=kept), LOST)]
    assert numbers == [*range(4, 14)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("length", [200, 2_000, 200_000])
def test_size(kind: type[Outcome], length: int) -> None:
    """An entry stays below 1 KB, and keeps each text that can be ECS's."""
    text, moment = "x" * length, f"2026-03-02T09:15:10.123456+00:00{'0' * length}"[:length]
    outcome = kind(
        task_arn=f"arn:aws:ecs:us-gov-west-1:123456789012:task/{text}",
        created_at=moment,
        pull_started_at=moment,
        stopped_at=LOST.stopped_at,
        capacity=text,
        detail=text,
    )
    [entry] = entries(NEW, outcome)
    assert len(json.dumps(entry)) < 1_024
    assert entry["stoppedAt"] == LOST.stopped_at
    assert ("taskArn" in entry) is ("capacity" in entry) is (length == 200)


def test_largest() -> None:
    """An entry with the longest names that ECS allows, and every time, keeps them all."""
    moment = "2026-03-02T09:15:10.123456+00:00"
    outcome = replace(
        LOST,
        task_arn=f"arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task/{'c' * 255}/{'0' * 32}",
        created_at=moment,
        stopped_at=moment,
        capacity="p" * 255,
    )
    [entry] = entries(NEW, outcome)
    assert entry.keys() == FIRST.keys()


def test_text_that_is_not_ecs() -> None:
    """A text that cannot be ECS's, for example from an answer by hand, is left out."""
    assert entries(NEW, Succeeded(task_arn="\ud800", capacity="ä")) == [
        {"attempt": 1, "kind": "Succeeded"}
    ]
