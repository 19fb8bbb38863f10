from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.evidence import MAX_BYTES, Evidence, console_link, log_stream, shared, shortened

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/demo-cluster/0f9de17a6465404e8b1b2356dc13c2f8"


def test_places() -> None:
    """A task's log stream and its place in the console follow from its ARN."""
    assert log_stream("worker", "main", TASK) == "worker/main/0f9de17a6465404e8b1b2356dc13c2f8"
    assert console_link(TASK) == (
        "https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/demo-cluster"
        "/tasks/0f9de17a6465404e8b1b2356dc13c2f8/configuration?region=eu-west-1"
    )


def test_last_lines() -> None:
    """Twenty lines are kept, the last ones, in their order."""
    assert shortened([str(number) for number in range(30)]) == tuple(
        str(number) for number in range(10, 30)
    )
    assert shortened([]) == ()


@pytest.mark.parametrize("text", ["x" * 5_000, "ü" * 5_000, "\U0001f600" * 5_000])
def test_long_lines(text: str) -> None:
    """Long lines are cut, and all together stay within their room, the last one among them."""
    kept = shortened([text] * 20)
    assert 1 <= len(kept) <= 20
    assert sum(len(line.encode()) for line in kept) <= MAX_BYTES
    assert all(line.endswith("…") and len(line) == 1_001 for line in kept)


def test_json_form() -> None:
    """The evidence's JSON form has the names that records and errors use."""
    evidence = Evidence("/ecs/demo", "worker/main/1", "https://", ("a", "b"))
    assert evidence.to_dict() == {
        "logGroup": "/ecs/demo",
        "logStream": "worker/main/1",
        "consoleLink": "https://",
        "logTail": ["a", "b"],
    }


def test_no_tail() -> None:
    """Evidence without a log's last lines has no field for them."""
    evidence = Evidence("/ecs/demo", "worker/main/1", "https://", None)
    assert evidence.to_dict().keys() == {"logGroup", "logStream", "consoleLink"}


NO_OTHER: dict[str, Any] = {"other_log_stream": None, "other_log_tail": None}
BESIDE = Evidence("/ecs/demo", "worker/main/1", "https://", ("a",), "worker/watchdog/1", ("b",))


def test_other_container() -> None:
    """Evidence of a task that another container has ended names that one's log and last lines."""
    told = {"otherLogStream": "worker/watchdog/1", "otherLogTail": ["b"]}
    assert BESIDE.to_dict() == {**replace(BESIDE, **NO_OTHER).to_dict(), **told}
    unread = replace(BESIDE, log_tail=None, other_log_tail=None).to_dict()
    assert unread["otherLogStream"] == "worker/watchdog/1"
    assert not unread.keys() & {"logTail", "otherLogTail"}


@pytest.mark.parametrize(
    "evidence",
    [
        BESIDE,
        replace(BESIDE, other_log_tail=()),
        replace(BESIDE, log_tail=None, other_log_tail=None),
        replace(BESIDE, **NO_OTHER),
    ],
)
def test_read_back(evidence: Evidence) -> None:
    """Evidence is read back from its JSON form as it was."""
    assert Evidence.from_dict(json.loads(json.dumps(evidence.to_dict()))) == evidence


LONG, SHORT = ["\U0001f600" * 5_000] * 20, ["short"] * 20


@pytest.mark.parametrize("main", [LONG, SHORT, ["x" * 900] * 20, []], ids=len)
@pytest.mark.parametrize("other", [LONG, SHORT, ["\u00fc" * 900] * 20, []], ids=len)
def test_shared_room(main: list[str], other: list[str]) -> None:
    """The last lines of two containers share one room: each has half, and the other's free part."""
    kept = shared(main, other)
    sizes = [sum(len(line.encode()) for line in lines) for lines in kept]
    assert sum(sizes) <= MAX_BYTES
    for lines, written, taken in zip(kept, (main, other), reversed(sizes), strict=True):
        assert (lines == ()) is (written == [])
        room = MAX_BYTES - min(taken, MAX_BYTES // 2)
        assert lines[-len(shortened(written, MAX_BYTES // 2)) :] == shortened(
            written, MAX_BYTES // 2
        )
        assert len(lines) <= len(shortened(written, room))
    assert shared(main, []) == (shortened(main), ())
    assert shared([], other) == ((), shortened(other))
