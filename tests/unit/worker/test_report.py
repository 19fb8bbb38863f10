from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.answer import MAX_ANSWER_BYTES, Answer
from core.outcome import Succeeded
from worker.report import MAX_RESULT_BYTES, ResultRefusedError, encoded, told

LIMIT = 256_000
PREFIX = "s3://data/results/one/1-0123/"


@pytest.mark.parametrize(
    "result", [None, 0, 42.5, "", "Größe 🚀\n", [1, [2]], {"a": {"b": None}}, {"last": True}]
)
def test_round_trip(result: object) -> None:
    """A result is read back as it was returned."""
    assert json.loads(encoded(result)) == result


def test_no_byte_is_wasted() -> None:
    """A result is written without spaces, in ASCII: as many bytes as characters."""
    assert encoded({"a": [1, "é"]}) == '{"a":[1,"\\u00e9"]}'


@pytest.mark.parametrize("character", ["x", "é", "🚀", '"'])
def test_largest_result(character: str) -> None:
    """A result of 256,000 bytes as JSON is told inline, one byte more by address or not at all."""
    width = len(json.dumps(character)) - len('""')
    room = LIMIT - len('""')
    text = character * (room // width) + "x" * (room % width)
    assert len(encoded(text).encode()) == LIMIT == MAX_RESULT_BYTES
    assert told(encoded(text), None) == told(encoded(text), PREFIX) == ("result", encoded(text))
    with pytest.raises(ResultRefusedError, match=r"256001 bytes.*256000.*S3"):
        told(encoded(text + "x"), None)
    assert told(encoded(text + "x"), PREFIX) == ("resultUri", f"{PREFIX}result.json")


def test_largest_result_fits_a_callback() -> None:
    """The largest result and the outcome around it are no more than a callback takes."""
    outcome = Succeeded(
        task_arn="arn:aws:ecs:us-gov-west-1:123456789012:task/" + "c" * 255 + "/" + "0" * 32,
        exit_code=0,
        started_at="2026-03-02T09:15:00.000Z",
        stopped_at="2026-03-02T09:15:00.000Z",
        detail="x" * 1_000,
    )
    answer = Answer.of(outcome, encoded("x" * (LIMIT - 2)))
    assert answer.outcome.succeeded
    assert len(answer.text()) <= MAX_ANSWER_BYTES


@pytest.mark.parametrize(
    "result",
    [float("nan"), float("inf"), {1, 2}, b"bytes", datetime(2026, 3, 2, tzinfo=UTC), {(1, 2): 3}],
    ids=["nan", "infinity", "set", "bytes", "datetime", "tuple as key"],
)
def test_no_json(result: object) -> None:
    """A result that JSON cannot hold is refused as such."""
    with pytest.raises(ResultRefusedError, match="not JSON"):
        encoded(result)


def test_circular_result() -> None:
    """A result that contains itself is refused."""
    result: list[Any] = []
    result.append(result)
    with pytest.raises(ResultRefusedError, match="not JSON"):
        encoded(result)
