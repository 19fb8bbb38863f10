"""The container's result in an execution's error."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.answer import MAX_ANSWER_BYTES
from core.conclusion import Conclusion
from core.evidence import Evidence
from core.flow import Flow
from core.handover import IN_RECORD, IN_RESULT, IN_S3, handed_over, may_follow, told
from core.outcome import KINDS, Missing, Outcome, Succeeded, TimedOut
from tests import values

if TYPE_CHECKING:
    from core.record import Record

LATE = TimedOut(task_arn="arn:task", detail="The deadline was 2026-03-02T10:00:00.000Z")
FACTS = {"executionId": "one", "flow": "eventbridge", "attempt": 1}
EVIDENCE = Evidence("/ecs/demo", "worker/main/1", "https://", ("one", "zwei\u00e9"))
FAILURES = [kind for kind in KINDS.values() if kind not in (Succeeded, TimedOut, Missing)]
# A worker's words, as the record has them, and as they are handed over.
WRITTEN: list[tuple[str, Any]] = [
    ('{"answer":42.5}', {"answer": 42.5}),
    ('"text"', "text"),
    *((text, json.loads(text)) for text in ("0", "false", '""', "[]", "{}")),
    *((text, text) for text in ("", "done", "{", "NaN", "[1e999]", "[" * 100_000)),
    (r'"\ud800"', "\ud800"),
    ("9" * 5_000, "9" * 5_000),
]


URI = "s3://bucket/results/one/1-0/"


def stored(result: str | None, flow: Flow = Flow.EVENTBRIDGE, **more: Any) -> Record:
    """Return a record whose worker has written this."""
    return values.record(flow=flow, result=result, **more)


def concluded(result: str | None, outcome: Outcome = LATE) -> tuple[Conclusion, dict[str, Any]]:
    """Return an execution's conclusion and its error's data."""
    conclusion = Conclusion.of(stored(result), outcome, EVIDENCE, FACTS)
    return conclusion, json.loads(conclusion.error_data(FACTS))


@pytest.mark.parametrize(("written", "result"), WRITTEN, ids=[text[:20] for text, _ in WRITTEN])
def test_result_of_a_timeout(written: str, result: object) -> None:
    """A timeout hands over what its worker has written, whatever it is, and says so."""
    conclusion, data = concluded(written)
    assert (conclusion.result, data["result"]) == (result, result)
    said = replace(LATE, detail=f"{LATE.detail}; {IN_RESULT}")
    assert data == {**FACTS, **EVIDENCE.to_dict(), **said.to_dict(), "result": result}


@pytest.mark.parametrize("written", [None, "null"])
def test_nothing_to_hand_over(written: str | None) -> None:
    """A timeout whose worker has written nothing has no result in its error, nor a word of it."""
    conclusion, data = concluded(written)
    assert conclusion == Conclusion(LATE, evidence=EVIDENCE)
    assert "result" not in data


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_other_failures(kind: type[Outcome]) -> None:
    """A text that the container of another failure has written is no result."""
    outcome = kind(task_arn="arn:task", detail="why")
    conclusion, data = concluded('"half"', outcome)
    assert conclusion == Conclusion(outcome, evidence=EVIDENCE)
    assert "result" not in data
    assert told(stored('"half"'), outcome) == outcome


def test_result_of_a_success() -> None:
    """A success has its result as a value, and no evidence."""
    done = Succeeded(task_arn="arn:task", exit_code=0)
    assert Conclusion.of(stored("[1]"), done, None, FACTS) == Conclusion(done, [1])


def test_place_of_a_result() -> None:
    """A timeout hands over the address of its result, and says so; another failure does not."""
    record = stored(None, result_uri=URI)
    conclusion = Conclusion.of(record, LATE, EVIDENCE, FACTS)
    data = json.loads(conclusion.error_data(FACTS))
    assert (conclusion.result_uri, data["resultUri"]) == (URI, URI)
    assert "result" not in data
    assert data["detail"] == f"{LATE.detail}; {IN_S3}"
    assert told(stored("1", result_uri=URI), LATE).detail.endswith(IN_RESULT)
    for kind in FAILURES:
        other = Conclusion.of(record, kind(task_arn="arn:task"), EVIDENCE, FACTS)
        assert other.result_uri is None
        assert "resultUri" not in other.error_data(FACTS)


def test_place_beside_a_result_that_is_too_large() -> None:
    """A timeout's error without room for the result still has its address."""
    record = stored(json.dumps("x" * MAX_ANSWER_BYTES), result_uri=URI)
    conclusion = Conclusion.of(record, LATE, EVIDENCE, FACTS)
    assert (conclusion.result, conclusion.result_uri) == (None, URI)
    assert conclusion.outcome.detail.endswith(IN_RECORD)


def test_place_of_a_success() -> None:
    """A success has its result's address, and a step keeps it."""
    done = Succeeded(task_arn="arn:task", exit_code=0)
    conclusion = Conclusion.of(stored(None, result_uri=URI), done, None, FACTS)
    assert conclusion == Conclusion(done, result_uri=URI)
    assert Conclusion.from_dict(conclusion.to_dict()) == conclusion
    older = {name: value for name, value in conclusion.to_dict().items() if name != "resultUri"}
    assert Conclusion.from_dict(older) == Conclusion(done)


def test_place_that_is_not_its_own() -> None:
    """A timeout hands over no address outside its container's own prefix."""
    record = stored(None, stray_uri="s3://elsewhere/key")
    assert Conclusion.of(record, LATE, EVIDENCE, FACTS) == Conclusion(LATE, evidence=EVIDENCE)


@pytest.mark.parametrize("character", ["x", "\u00e9", '"'])
def test_largest_result(character: str) -> None:
    """The largest result that an error holds is in it; one more character stays in the record."""
    written = json.dumps(character)
    _, small = concluded(written)
    rest = len(json.dumps(small, separators=(",", ":"))) - (len(written) - 2)
    count = (MAX_ANSWER_BYTES - rest) // (len(written) - 2)
    largest, data = concluded(json.dumps(character * count))
    assert data["result"] == character * count
    assert MAX_ANSWER_BYTES - 6 < len(largest.error_data(FACTS)) <= MAX_ANSWER_BYTES
    # A step keeps the conclusion.
    assert len(json.dumps(largest.to_dict(), separators=(",", ":"))) <= MAX_ANSWER_BYTES
    kept, data = concluded(json.dumps(character * (count + 1)))
    assert "result" not in data
    assert data["detail"] == f"{LATE.detail}; {IN_RECORD}"
    assert kept.evidence == EVIDENCE


def test_told_once() -> None:
    """A detail names a late result once, in its first words, however often an end is judged."""
    record = stored('"done"')
    for where in (IN_RESULT, IN_RECORD):
        once = told(record, LATE, where)
        assert once.detail.endswith(where)
        assert told(record, once) == once
    assert told(record, TimedOut()).detail == IN_RESULT


def test_long_detail() -> None:
    """A long detail is cut for the note about the result, and stays within 1,000 characters."""
    outcome = told(stored('"done"'), TimedOut(detail="x" * 1_000))
    assert len(outcome.detail) == 1_000
    assert outcome.detail.endswith(f"x; {IN_RESULT}")


def test_result_that_may_follow() -> None:
    """A result may have come since the look only where one is taken, and none was there."""
    for flow in Flow:
        assert may_follow(stored(None, flow), LATE) is flow.takes_result
    assert not may_follow(stored("1"), LATE)
    assert not may_follow(stored(None, result_uri=URI), LATE)
    assert not may_follow(stored(None, stray_uri="x"), LATE)
    assert handed_over(stored("1"), LATE) == 1
    assert not any(may_follow(stored(None), kind()) for kind in FAILURES)
