from __future__ import annotations

import json

import pytest

from core.answer import Answer
from core.outcome import KINDS, Outcome, Succeeded

OUTCOME = Succeeded(task_arn="arn", exit_code=0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_round_trip(kind: type[Outcome]) -> None:
    """An answer of each outcome is read back as it was given."""
    answer = Answer(kind(task_arn="arn", exit_code=3, detail="why"))
    assert Answer.read(json.dumps(answer.to_dict())) == answer


@pytest.mark.parametrize("result", ['{"answer": 42.5}', '"text"', "[1, 2]", "0", "false", '""'])
def test_result(result: str) -> None:
    """The container's result is embedded as JSON, not as text of JSON, and read back."""
    told = Answer(OUTCOME, result).to_dict()
    assert told == {"outcome": OUTCOME.to_dict(), "result": json.loads(result)}
    assert Answer.read(json.dumps(told)) == Answer(OUTCOME, result)


def test_no_result() -> None:
    """A container that reported nothing leaves null."""
    assert Answer(OUTCOME).to_dict()["result"] is None


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
        '{"outcome": {"kind": "Invented"}, "result": null}',
        '{"outcome": {"kind": ["Succeeded"]}, "result": null}',
        '{"outcome": {"kind": "Succeeded", "exitCode": "none"}, "result": null}',
        json.dumps({"outcome": OUTCOME.to_dict()}),
    ],
)
def test_somebody_elses_answer(text: str | None) -> None:
    """A callback that somebody else answered holds no answer of ours."""
    assert Answer.read(text) is None
