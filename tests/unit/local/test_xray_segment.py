from __future__ import annotations

import json
from typing import Any

import pytest

from local.xray.segment import UnprocessedError, read

WHOLE: dict[str, Any] = {
    "id": "70de5b6f19ff9a0a",
    "trace_id": "1-581cf771-a006649127e371903a2de979",
    "name": "worker",
    "start_time": 1478293361.271,
    "end_time": 1478293361.449,
}
PART = {name: value for name, value in WHOLE.items() if name != "trace_id"}
PARENT = "53995c3f42cd8ad8"


def refused(text: str) -> dict[str, str]:
    """PutTraceSegments' words about a document that it refuses."""
    with pytest.raises(UnprocessedError) as error:
        read(text)
    return error.value.answer


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"end_time": WHOLE["start_time"]},
        {"start_time": 0, "end_time": 1},
        {"in_progress": True},
        {"in_progress": False, "origin": "AWS::ECS::Fargate", "fault": True},
        {"parent_id": PARENT},
        {"type": "subsegment", "parent_id": PARENT},
        {"name": "## Überweisung_1.a:/%&#=+,\\-@"},
        {"name": "n" * 200},
        {"annotations": {}},
        {"subsegments": [{**PART, "subsegments": [PART]}]},
        {"metadata": {"deep": [None, {"er": "\ud800"}]}},
    ],
)
def test_taken(more: dict[str, Any]) -> None:
    """A document with what X-Ray needs is taken as it is, whatever else it says."""
    document = WHOLE | more
    segment = read(json.dumps(document))
    assert segment.document == document
    assert (segment.trace_id, segment.id) == (WHOLE["trace_id"], WHOLE["id"])
    assert segment.is_complete == (more.get("in_progress") is not True)


def test_in_progress() -> None:
    """A segment that is in progress has no end yet."""
    document = {**WHOLE, "in_progress": True}
    del document["end_time"]
    assert not read(json.dumps(document)).is_complete


@pytest.mark.parametrize("name", WHOLE)
def test_missing(name: str) -> None:
    """A document that lacks what X-Ray needs is refused, and the field is named."""
    answer = refused(json.dumps({key: value for key, value in WHOLE.items() if key != name}))
    code = f"Missing{name.title().replace('_', '')}"
    assert answer["ErrorCode"] == code
    assert answer["Message"].startswith(f"Invalid segment. ErrorCode: {code}, Cause: {name} is ")
    assert answer.get("Id") == (None if name == "id" else WHOLE["id"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "70de5b6f19ff9a0"),
        ("id", "70de5b6f19ff9a0g"),
        ("id", 7),
        ("trace_id", "2-581cf771-a006649127e371903a2de979"),
        ("trace_id", "1-581cf771a006649127e371903a2de979"),
        ("trace_id", "1-581cf771-a006649127e371903a2de979\n"),
        ("name", ""),
        ("name", "n" * 201),
        ("name", "a|b"),
        ("name", ["worker"]),
        ("in_progress", "true"),
        ("start_time", "1478293361.271"),
        ("start_time", True),
        ("start_time", -1),
        ("start_time", 10**400),
        ("end_time", 1478293361.27),
        ("end_time", None),
        ("type", "segment"),
        ("parent_id", "53995c3f42cd8ad"),
        ("annotations", ["executionId"]),
        ("subsegments", {}),
        ("subsegments", [[]]),
    ],
)
def test_other_form(name: str, value: object) -> None:
    """A field in a form that X-Ray does not know refuses its document, and is named."""
    answer = refused(json.dumps(WHOLE | {name: value}))
    code = f"Invalid{name.title().replace('_', '')}"
    assert answer["ErrorCode"] == code
    assert f"Cause: {name} should be " in answer["Message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_no_number(number: str) -> None:
    """A moment that is no number of JSON's refuses its document."""
    text = json.dumps(WHOLE).replace("1478293361.271", number)
    assert refused(text)["ErrorCode"] == "InvalidStartTime"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"text"', "null", "[" * 300 + "]" * 300, '{"id": 1' + "0" * 5000 + "}"]
)
def test_no_document(text: str) -> None:
    """A text that is no JSON object, or one that nobody reads, is refused."""
    answer = refused(text)
    assert answer["ErrorCode"] == "ParseError"
    assert "Id" not in answer


def test_number_that_json_does_not_know() -> None:
    """A document that holds what is no JSON anywhere is refused."""
    text = json.dumps(WHOLE | {"metadata": {"ratio": float("nan")}})
    assert refused(text)["ErrorCode"] == "ParseError"


def test_subsegment_without_parent() -> None:
    """A subsegment that is sent apart is refused unless it names its parent."""
    answer = refused(json.dumps(WHOLE | {"type": "subsegment"}))
    assert answer["ErrorCode"] == "MissingParentId"
    assert answer["Message"].startswith("Invalid subsegment. ")


def test_subsegment_of_another_form() -> None:
    """A subsegment at any depth that X-Ray does not take refuses the whole document."""
    deep = {**PART, "subsegments": [{**PART, "start_time": "now"}]}
    answer = refused(json.dumps(WHOLE | {"subsegments": [deep]}))
    assert answer["Id"] == WHOLE["id"]
    assert answer["Message"].startswith("Invalid subsegment. ErrorCode: InvalidStartTime, Cause: ")


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_large(more: int, *, is_taken: bool) -> None:
    """A document of 64 kB is taken, and a larger one refused."""
    empty = json.dumps(WHOLE | {"metadata": ""}, ensure_ascii=False)
    filling = "ä" * ((64 * 1024 - len(empty)) // 2)
    text = json.dumps(WHOLE | {"metadata": filling}, ensure_ascii=False)
    text += " " * (64 * 1024 - len(text.encode()) + more)
    if is_taken:
        assert read(text).document["metadata"] == filling
    else:
        assert refused(text)["ErrorCode"] == "SegmentTooLarge"
