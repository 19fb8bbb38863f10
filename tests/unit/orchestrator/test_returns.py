from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from aws_durable_execution_sdk_python.serdes import SerDesContext

from core.conclusion import Conclusion
from core.evidence import Evidence
from core.flow import Flow
from core.launch import Started
from core.outcome import KINDS, ApplicationFailed, FailedToStart, Outcome, Succeeded
from core.polling import PollState
from core.record import Record, Status
from orchestrator.returns import (
    BOOLEAN,
    CONCLUSION,
    LAUNCHED,
    NOTHING,
    OUTCOME,
    POLL_STATE,
    RECORD,
)
from tests.values import record

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python.serdes import SerDes

CONTEXT = SerDesContext()
STARTED = Started.of(record(), "arn")
OUTCOMES: list[Outcome] = [
    *(kind(task_arn="arn", exit_code=3, detail="why") for kind in KINDS.values()),
    *(FailedToStart(detail="no room", transient=transient) for transient in (True, False)),
]
SUCCESS, FAILURE = Succeeded(task_arn="arn", exit_code=0), ApplicationFailed(exit_code=3)
EVIDENCE = Evidence("/ecs/demo", "worker/main/1", "https://", ("one", "two"))
CONCLUSIONS = [
    # Results of each form that a step itself returns are results all the same.
    *(Conclusion(SUCCESS, result) for result in (None, 0, "42", ["arn", "then"], {"kind": "x"})),
    *(Conclusion(SUCCESS, {name: {}}) for name in ("started", "outcome", "evidence")),
    Conclusion(FAILURE),
    Conclusion(FAILURE, evidence=EVIDENCE),
    Conclusion(FAILURE, evidence=Evidence("/ecs/demo", "worker/main/1", "https://", None)),
    Conclusion(FAILURE, evidence=Evidence("/ecs/demo", "worker/main/1", "https://", ())),
]
ITEM: dict[str, Any] = {
    **record(flow=Flow.DYNAMODB, status=Status.FAILED, is_open=False).to_item(),
    "attempt": Decimal(1),
    "launch": Decimal(1),
    "lastOutcome": {**FAILURE.to_dict(), "exitCode": Decimal(3)},
    "error": {"kind": "ApplicationFailed", "exitCode": Decimal(3)},
}


def again(serdes: SerDes[Any], value: object) -> object:
    """Return what a replayed step returns, which has returned this value."""
    return serdes.deserialize(serdes.serialize(value, CONTEXT), CONTEXT)


@pytest.mark.parametrize("value", [True, False])
def test_boolean(value: bool) -> None:
    """A replayed step returns the yes or no that it has returned."""
    assert again(BOOLEAN, value) is value


def test_nothing() -> None:
    """A replayed step that returns nothing returns nothing."""
    assert again(NOTHING, None) is None


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.kind)
def test_outcome(outcome: Outcome) -> None:
    """A replayed step returns the outcome that it has returned, of the same kind."""
    assert again(OUTCOME, outcome) == outcome


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.kind)
def test_not_launched(outcome: Outcome) -> None:
    """A replayed launch that came to no task returns the same outcome of having none."""
    assert again(LAUNCHED, outcome) == outcome


def test_launched() -> None:
    """A replayed launch returns the task that it has started."""
    assert again(LAUNCHED, STARTED) == STARTED


@pytest.mark.parametrize("text", ["{}", "[]", '["arn"]', '{"kind":"Succeeded"}', '"arn"', "null"])
def test_neither(text: str) -> None:
    """JSON with neither `started` nor `outcome` is refused, and the error shows it."""
    with pytest.raises(ValueError, match="neither `started` nor `outcome`") as refused:
        LAUNCHED.deserialize(text, CONTEXT)
    assert str(refused.value).endswith(text)


@pytest.mark.parametrize("conclusion", CONCLUSIONS, ids=str)
def test_conclusion(conclusion: Conclusion) -> None:
    """A replayed close returns the same outcome, result and evidence, whatever they look like."""
    assert again(CONCLUSION, conclusion) == conclusion


def test_size_of_a_conclusion() -> None:
    """A stored conclusion is hardly longer than its result: no spaces, ASCII only."""
    result = {"rows": [1] * 100_000}
    text = CONCLUSION.serialize(Conclusion(SUCCESS, result), CONTEXT)
    assert len(text) < 200_000 + 1_000


@pytest.mark.parametrize("end", [None, *OUTCOMES], ids=str)
def test_poll_state(end: Outcome | None) -> None:
    """Between two looks the state is kept as it is, with and without an end."""
    state = PollState(since=1_700_000_000, status="RUNNING", missed_at=80, elapsed=90, outcome=end)
    assert again(POLL_STATE, state) == state


@pytest.mark.parametrize("is_open", [True, False])
def test_record(is_open: bool) -> None:
    """A replayed step returns the record that it has returned, numbers of DynamoDB included."""
    stored = Record.from_item({**ITEM, **({"open": "OPEN"} if is_open else {})})
    assert again(RECORD, stored) == stored
