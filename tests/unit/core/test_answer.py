from __future__ import annotations

import json

import pytest

from core.answer import Answer
from core.outcome import KINDS, ApplicationFailed, Outcome, Succeeded

OUTCOME = Succeeded(task_arn="arn", exit_code=0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_round_trip(kind: type[Outcome]) -> None:
    """An answer of each outcome is read back as it was given."""
    answer = Answer(kind(task_arn="arn", exit_code=3, detail="why"))
    assert Answer.read(answer.text()) == answer


@pytest.mark.parametrize("result", ['{"answer": 42.5}', '"text"', "[1, 2]", "0", "false", '""'])
def test_result(result: str) -> None:
    """The container's result is embedded as JSON, not as text of JSON, and read back."""
    text = Answer.of(OUTCOME, result).text()
    told = {"outcome": OUTCOME.to_dict(), "result": json.loads(result), "resultUri": None}
    assert json.loads(text) == told
    assert Answer.read(text) == Answer(OUTCOME, json.loads(result))


def test_no_result() -> None:
    """A container that reported nothing leaves null."""
    assert json.loads(Answer.of(OUTCOME, None).text())["result"] is None
    assert json.loads(Answer.of(OUTCOME, None).text())["resultUri"] is None


@pytest.mark.parametrize(
    "result", ["", "done", "{", "NaN", "[1e999]", '{"a": -Infinity}', "[" * 100_000]
)
def test_result_that_is_no_json(result: str) -> None:
    """A result that is no JSON, written by an image of the user's own, arrives as text."""
    assert Answer.of(OUTCOME, result).result == result


def test_result_of_any_depth() -> None:
    """A result of any depth has an answer, also near the depth that Python itself can read."""
    for depth in (*range(800, 1_100), *range(9_900, 10_100)):
        result = "[" * depth + "]" * depth
        assert Answer.of(OUTCOME, result).text()


def test_result_of_a_failure() -> None:
    """A failed container's leftovers are no result."""
    assert Answer.of(ApplicationFailed(exit_code=1), '"half"').result is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "done",
        "{",
        "null",
        "1",
        "[]",
        '"text"',
        "{}",
        '{"result": null}',
        '{"outcome": null, "result": null}',
        '{"outcome": "Succeeded", "result": null}',
        '{"outcome": {}, "result": null}',
        '{"outcome": {"kind": ""}, "result": null}',
        '{"outcome": {"kind": 7, "succeeded": true}, "result": null}',
        '{"outcome": {"kind": ["Succeeded"]}, "result": null}',
        '{"outcome": {"kind": "Succeeded", "exitCode": "none"}, "result": null}',
    ],
)
def test_somebody_elses_answer(text: str | None) -> None:
    """A callback that somebody else answered holds no answer of ours."""
    assert Answer.read(text) is None


def test_place_of_a_result() -> None:
    """An answer has the address of a success's result, and none of a failure's."""
    answer = Answer.of(OUTCOME, None, "s3://bucket/key")
    assert Answer.read(answer.text()) == answer
    assert answer.result_uri == "s3://bucket/key"
    assert Answer.of(ApplicationFailed(exit_code=1), None, "s3://bucket/key").result_uri is None
