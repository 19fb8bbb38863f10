from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from worker import progress
from worker.progress import MAX_MESSAGE, SECONDS_BETWEEN_WRITES, Progress

Written = list[dict[str, Any]]


class Time:
    """A clock that a test sets, in the place of `time`."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The time that progress goes by."""
    clock = Time()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def written() -> Written:
    """The texts that were written."""
    return []


def test_first_and_last(time: Time, written: Written) -> None:
    """The first word is written at once, those of the next ten seconds are not, the last one is."""
    told = Progress(written.append)
    for percent in range(10):
        told.say(percent)
        time.now += 0.9
    assert [said["percent"] for said in written] == [0]
    told.finish()
    told.finish()
    assert [said["percent"] for said in written] == [0, 9]


def test_one_in_ten_seconds(time: Time, written: Written) -> None:
    """No two writes of progress are less than ten seconds apart, however often work reports."""
    told = Progress(written.append)
    at: list[float] = []
    for percent in range(100):
        told.say(percent)
        if len(written) > len(at):
            at.append(time.now)
        time.now += 3
    assert len(at) > 20
    assert min(b - a for a, b in pairwise(at)) >= SECONDS_BETWEEN_WRITES == 10


@pytest.mark.usefixtures("time")
@pytest.mark.parametrize(
    ("percent", "kept"), [(0, 0), (100, 100), (-1, 0), (101, 100), (41.9, 41), (True, 1)]
)
def test_percent(written: Written, percent: float, kept: int) -> None:
    """A percentage is a whole number from 0 to 100, whatever was given."""
    Progress(written.append).say(percent)
    assert written[0]["percent"] == kept


@pytest.mark.usefixtures("time")
def test_message(written: Written) -> None:
    """A message has at most 500 characters, all of which DynamoDB takes."""
    for message in ("x" * 600, "\ud83d" * 200, None):
        told = Progress(written.append)
        told.say(1, message)  # type: ignore[arg-type] # whatever work gives
    assert [len(said["message"]) for said in written] == [500, 500, 4]
    assert MAX_MESSAGE == 500
    json.dumps(written, ensure_ascii=False).encode()


@pytest.mark.usefixtures("time")
def test_moment(written: Written) -> None:
    """Each word has the moment at which it was said, in UTC."""
    Progress(written.append).say(1)
    said = datetime.fromisoformat(written[0]["at"])
    assert written[0]["at"].endswith("Z")
    assert said.utcoffset() == timedelta(0)


@pytest.mark.usefixtures("time")
@pytest.mark.parametrize("percent", [None, "much", float("nan"), float("inf"), object()])
def test_not_understood(written: Written, percent: Any) -> None:
    """A value that is no percentage is left out, and is no error of the work's."""
    Progress(written.append).say(percent)
    assert written == []


def test_failed_write(time: Time) -> None:
    """A write that fails is no error of the work's, and is not repeated before its time."""
    tried = []

    def write(said: dict[str, Any]) -> None:
        tried.append(said["percent"])
        raise OSError("no way")

    told = Progress(write)
    told.say(1)
    told.say(2)
    time.now += SECONDS_BETWEEN_WRITES
    told.say(3)
    told.finish()
    assert tried == [1, 3]
