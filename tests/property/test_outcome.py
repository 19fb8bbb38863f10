from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.answer import Answer
from core.outcome import KINDS, FailedToStart, Outcome, from_dict
from core.outcome.kinds import MOMENTS

FACTS: dict[str, st.SearchStrategy[Any]] = {
    "task_arn": st.none() | st.text(),
    "exit_code": st.none() | st.integers(0, 255),
    **dict.fromkeys(MOMENTS, st.none() | st.text()),
    "capacity": st.none() | st.text(),
    "detail": st.text(max_size=1_000),
}
OUTCOMES = st.one_of(
    *(st.builds(kind, **FACTS) for kind in KINDS.values()),
    st.builds(FailedToStart, **FACTS, transient=st.booleans()),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(OUTCOMES)
def test_outcome_round_trip(outcome: Outcome) -> None:
    """An outcome is unchanged after its way through JSON."""
    assert from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


@given(OUTCOMES, JSON)
def test_answer_round_trip(outcome: Outcome, result: object) -> None:
    """A callback's answer brings outcome and result as they were given."""
    given = Answer(outcome, result)
    assert Answer.read(given.text()) == given


@given(JSON | st.fixed_dictionaries({"outcome": JSON, "result": JSON}))
def test_somebody_elses_answer(answer: object) -> None:
    """Any other JSON as a callback's answer is not taken for ours."""
    assert Answer.read(json.dumps(answer)) is None
