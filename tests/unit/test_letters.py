from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scripts.redrive.letters import COMPARED, Ended, Finding, Letter, find, line

if TYPE_CHECKING:
    from collections.abc import Sequence

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:app-sync-function:1"
SENT = datetime(2026, 1, 5, 9, 1, tzinfo=UTC)
PAYLOAD = {"message": "Hello", "processingTime": 10}
LETTER = Letter("m1", json.dumps(PAYLOAD), "id-9", "Stopped", SENT)


def ended(number: int, **before: float) -> Ended:
    """An execution that ended some time before the message was sent."""
    arn = f"{FUNCTION}/durable-execution/name/id-{number}"
    return Ended(arn, "FAILED", SENT - timedelta(**before))


class Known:
    """The known executions: their payloads, and one that only the table knows."""

    def __init__(self, payloads: dict[Ended, object], recorded: Ended | None = None) -> None:
        self._payloads, self._recorded = payloads, recorded
        self.compared: list[Ended] = []

    def ended(self) -> Sequence[Ended]:
        """Return all executions."""
        return list(self._payloads)

    def of_record(self, execution_id: str) -> Ended | None:
        """Return the one that has a record, by its id."""
        recorded = self._recorded
        return recorded if recorded and recorded.id == execution_id else None

    def payload(self, execution: Ended) -> str | None:
        """Return a payload, with its keys in another order; None is forgotten."""
        self.compared.append(execution)
        payload = self._payloads[execution]
        return None if payload is None else json.dumps(payload, sort_keys=True, indent=1)


def test_by_its_id() -> None:
    """A message that has an execution's id is this one's; no payload is compared."""
    known = Known({ended(8, seconds=1): PAYLOAD, ended(9, days=3): PAYLOAD})
    assert find(LETTER, known) == Finding([ended(9, days=3)], is_sure=True)
    assert not known.compared


def test_by_its_record() -> None:
    """An execution that is listed no more is found by its record."""
    assert find(LETTER, Known({}, ended(9))) == Finding([ended(9)], is_sure=True)


def test_by_its_payload() -> None:
    """A message whose id is unknown is of one of those with its payload, the nearest first."""
    same, sooner, other, forgotten = (ended(n, minutes=n) for n in (2, 1, 3, 4))
    known = Known({same: PAYLOAD, sooner: PAYLOAD, other: {"message": "Bye"}, forgotten: None})
    assert find(LETTER, known) == Finding([sooner, same])


def test_payloads_that_are_compared() -> None:
    """The payloads of the ten executions that ended nearest to the message are looked at."""
    executions = [ended(100 + n, minutes=n) for n in range(COMPARED + 5)]
    known = Known({execution: {} for execution in reversed(executions)})
    assert find(LETTER, known) == Finding([])
    assert known.compared == executions[:COMPARED]


@pytest.mark.parametrize("body", ["no JSON", "", "[" * 50_000])
def test_somebody_s_message(body: str) -> None:
    """A message that is no payload is of no execution, also of none whose payload is forgotten."""
    known = Known({ended(1): {}, ended(2): None})
    assert find(LETTER._replace(payload=body), known) == Finding([])


def test_what_is_told() -> None:
    """A line tells what is sure as such, what may be as such, and what is not known."""
    one, other = ended(1, seconds=1), ended(2, hours=1)
    seen = f"{one.arn} FAILED at 2026-01-05T09:00:59Z"
    assert line(LETTER, Finding([one], is_sure=True)) == (
        f"m1 of 2026-01-05T09:01:00Z: {seen}: Stopped"
    )
    assert f": by its payload one of 2, or one that never began: {seen}, " in line(
        LETTER, Finding([one, other])
    )
    assert ": no execution with its payload is known, it may never have begun: " in line(
        LETTER, Finding([])
    )
    assert ": not looked up: " in line(LETTER, None)


def test_reason_on_one_line() -> None:
    """A message's reason can neither break the line nor fill the screen; none is told as none."""
    told = line(LETTER._replace(reason="\x1b[2J\n" + "x" * 2_000), None)
    assert told.isprintable()
    assert len(told) < 400
    assert line(LETTER._replace(reason=""), None).endswith(": Lambda gives no reason")
