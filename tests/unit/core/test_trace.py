from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from core.outcome import ApplicationFailed, FailedToStart, Outcome, Succeeded
from core.trace import TRACE_RESERVE, TraceHeader, segment
from tests.values import record

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
HEADER = f"Root={ROOT};Parent={PARENT};Sampled=1"
TRACED = replace(record(), trace_header=HEADER)
LIFE: dict[str, Any] = {
    "task_arn": "arn:task",
    "created_at": "2026-03-02T09:14:32.000Z",
    "pull_started_at": "2026-03-02T09:14:50.000Z",
    "pull_stopped_at": "2026-03-02T09:14:58.000Z",
    "started_at": "2026-03-02T09:15:00.000Z",
    "stopping_at": "2026-03-02T09:15:12.000Z",
    "stopped_at": "2026-03-02T09:15:10.000Z",
    "capacity": "FARGATE",
    "learned_by": "event",
    "learned_at": "2026-03-02T09:15:11.500Z",
}
DONE = Succeeded(exit_code=0, **LIFE)
FAILED = ApplicationFailed(exit_code=3, detail="Essential container in task exited", **LIFE)


def of(outcome: Outcome) -> dict[str, Any]:
    """Return the document of an attempt that ended so."""
    document = segment(TRACED, outcome)
    assert document
    return document


def spans(document: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return each phase's begin and end, in seconds since the task was created."""
    zero = datetime.fromisoformat(LIFE["created_at"]).timestamp()
    parts = document["subsegments"]
    return {p["name"]: (p["start_time"] - zero, p["end_time"] - zero) for p in parts}


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (HEADER, TraceHeader(ROOT, PARENT, is_sampled=True)),
        (f"Sampled=0; Root={ROOT}", TraceHeader(ROOT, None, is_sampled=False)),
        (f"Root={ROOT}", TraceHeader(ROOT, None, is_sampled=False)),
        (f"{HEADER};Lineage=1:a87bd80c:0", TraceHeader(ROOT, PARENT, is_sampled=True)),
        (f"Root={ROOT};Parent=xyz;Sampled=?", TraceHeader(ROOT, None, is_sampled=False)),
        ("Root=1-5759e988;Parent=53995c3f42cd8ad8", None),
        (f"Parent={PARENT}", None),
        ("what Lambda may say one day", None),
        ("", None),
        (None, None),
    ],
)
def test_header(text: str | None, header: TraceHeader | None) -> None:
    """A trace header is read in any order of its parts, and what is unknown in it is left out."""
    assert TraceHeader.parse(text) == header


def test_long_name() -> None:
    """A family with a name longer than X-Ray takes has a segment all the same."""
    job = replace(TRACED.job, family="f" * 255)
    document = segment(replace(TRACED, job=job), DONE)
    assert document
    assert document["name"] == "f" * 200


@pytest.mark.parametrize("text", [HEADER, f"Root={ROOT};Sampled=0"])
def test_header_text(text: str) -> None:
    """A header that was read is written again as it was, and is never longer than its reserve."""
    header = TraceHeader.parse(text)
    assert header
    assert header.text() == text
    assert len(header.text()) <= len(TRACE_RESERVE.text())


def test_segment() -> None:
    """A task's segment is in its execution's trace, with annotations to search for."""
    document = of(DONE)
    assert (document["trace_id"], document["parent_id"]) == (ROOT, PARENT)
    assert document["origin"] == "AWS::ECS::Fargate"
    assert document["annotations"] == {
        "executionId": "one",
        "flow": "eventbridge",
        "attempt": 1,
        "outcome": "Succeeded",
        "learnedBy": "event",
    }
    assert document["metadata"]["task"]["taskArn"] == "arn:task"
    assert "fault" not in document


def test_phases() -> None:
    """Each phase lasts until the next one, and the task's segment until its containers' end."""
    document = of(DONE)
    assert spans(document) == {
        "provisioning": (0, 18),
        "image pull": (18, 26),
        "starting": (26, 28),
        "running": (28, 38),
        "completion": (38, 39.5),
    }
    assert document["end_time"] - document["start_time"] == 38


@pytest.mark.parametrize(
    ("unknown", "phases"),
    [
        (
            {"pull_started_at": None, "pull_stopped_at": None},
            {"provisioning": (0, 28), "running": (28, 38), "completion": (38, 39.5)},
        ),
        (
            {"started_at": None, "pull_stopped_at": None},
            {"provisioning": (0, 18), "image pull": (18, 38), "completion": (38, 39.5)},
        ),
        (
            {"stopped_at": None},
            {
                "provisioning": (0, 18),
                "image pull": (18, 26),
                "starting": (26, 28),
                "running": (28, 39.5),
                "completion": (39.5, 39.5),
            },
        ),
    ],
)
def test_moments_that_ecs_does_not_tell(
    unknown: dict[str, Any], phases: dict[str, tuple[float, float]]
) -> None:
    """A phase without a known begin is part of the one before it."""
    assert spans(of(replace(DONE, **unknown))) == phases


def test_attempt_without_a_task() -> None:
    """An attempt without a task was in its launch from its begin until that was known."""
    refused = FailedToStart(detail="no room", learned_by="check", learned_at=LIFE["learned_at"])
    document = of(refused)
    assert [part["name"] for part in document["subsegments"]] == ["launch", "completion"]
    begun = datetime.fromisoformat(TRACED.begun_at).timestamp()
    assert document["start_time"] == begun
    assert document["fault"]


def test_clocks_that_differ() -> None:
    """No phase ends before it begins, although the clocks of ECS and Lambda differ."""
    document = of(
        replace(DONE, learned_at="2026-03-02T09:15:09.000Z", started_at=LIFE["created_at"])
    )
    for part in [document, *document["subsegments"]]:
        assert part["start_time"] <= part["end_time"]


@pytest.mark.parametrize(
    ("outcome", "phase"),
    [
        (FAILED, "running"),
        (FailedToStart(**{**LIFE, "started_at": None, "pull_stopped_at": None}), "image pull"),
        (FailedToStart(), "launch"),
        (
            FailedToStart(
                detail="CannotPullContainerError: manifest unknown", **{**LIFE, "started_at": None}
            ),
            "image pull",
        ),
        (
            FailedToStart(
                detail="ResourceInitializationError: no secret", **{**LIFE, "started_at": None}
            ),
            "starting",
        ),
    ],
)
def test_fault(outcome: Outcome, phase: str) -> None:
    """A failure is a fault of the segment and of the phase in which it happened, with its cause."""
    document = of(replace(outcome, learned_at=LIFE["learned_at"]))
    [failed] = [part for part in document["subsegments"] if part.get("fault")]
    assert failed["name"] == phase
    for part in (document, failed):
        [told] = part["cause"]["exceptions"]
        assert told["type"] == outcome.kind
        assert outcome.summary in told["message"]
        assert outcome.detail in told["message"]


def ids(document: dict[str, Any]) -> list[str]:
    """Return the ids of a segment and of its phases."""
    return [document["id"], *(part["id"] for part in document["subsegments"])]


def test_ids() -> None:
    """Two reports of one attempt have the same ids; another attempt has others; all differ."""
    first = ids(of(DONE))
    assert ids(of(FAILED)) == first
    second = segment(replace(TRACED, attempt=2), DONE)
    assert second
    assert len({*first, *ids(second)}) == 2 * len(first)


@pytest.mark.parametrize(
    "header", [None, f"Root={ROOT};Parent={PARENT};Sampled=0", f"Root={ROOT};Parent={PARENT}", "?"]
)
def test_no_trace(header: str | None) -> None:
    """An execution that X-Ray does not sample has no segment for its task."""
    assert segment(replace(TRACED, trace_header=header), DONE) is None


def test_longest() -> None:
    """The longest segment there can be is smaller than the 64 kB that X-Ray takes."""
    named: dict[str, Any] = {
        "task_arn": "t" * 2_048,
        "capacity": "c" * 255,
        "detail": "\U0001f600" * 1_000,
    }
    assert len(json.dumps(of(replace(FAILED, **named)))) < 64_000
