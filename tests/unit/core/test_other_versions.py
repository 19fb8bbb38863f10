"""Made-up forms of outcome, answer and record, as older and newer versions may write them."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest

from core.answer import Answer
from core.outcome import (
    KINDS,
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    OtherContainer,
    Outcome,
    Succeeded,
    UnknownKind,
    from_dict,
    reclassified,
    stop_reason,
)
from core.record import Record
from core.retry import OnDemand, Policy, relaunch_delay
from tests.unit.core.test_record import CLOSED, NEW

TOLD = {
    "taskArn": "arn:task",
    "exitCode": 28,
    "startedAt": "2026-03-02T09:15:00.250Z",
    "stoppedAt": "2026-03-02T09:16:00.250Z",
    "detail": "the licence ended",
}
FACTS: dict[str, Any] = {
    "task_arn": "arn:task",
    "exit_code": 28,
    "started_at": "2026-03-02T09:15:00.250Z",
    "stopped_at": "2026-03-02T09:16:00.250Z",
    "detail": "the licence ended",
}
WORDS = {"summary": "The licence has expired.", "advice": "Ask for another licence."}
MORE = {"executionStoppedAt": "2026-03-02T09:16:01Z", "hardware": {"spot": True, "cpu": 1024}}
EXPIRED = UnknownKind(
    **FACTS,
    other_kind="LicenceExpired",
    other_summary=WORDS["summary"],
    other_advice=WORDS["advice"],
)
SKIPPED = UnknownKind(other_kind="Skipped", has_succeeded=True)

OUTCOMES: dict[str, tuple[dict[str, Any], Outcome]] = {
    "older, kind alone": ({"kind": "Succeeded"}, Succeeded()),
    "older, without transient": ({"kind": "FailedToStart"}, FailedToStart()),
    "older, without succeeded": (
        {"kind": "ApplicationFailed", **TOLD, **WORDS},
        ApplicationFailed(**FACTS),
    ),
    "older, nothing known": (
        {"kind": "ApplicationFailed", "taskArn": None, "exitCode": None, "detail": None},
        ApplicationFailed(),
    ),
    "newer, more fields": (
        {"kind": "ApplicationFailed", "succeeded": False, **TOLD, **WORDS, **MORE},
        ApplicationFailed(**FACTS),
    ),
    "newer, failure of a new kind": (
        {"kind": "LicenceExpired", "succeeded": False, **TOLD, **WORDS, **MORE},
        EXPIRED,
    ),
    "newer, success of a new kind": ({"kind": "Skipped", "succeeded": True, **MORE}, SKIPPED),
    "newer, new kind alone": ({"kind": "Skipped"}, replace(SKIPPED, has_succeeded=False)),
    "newer, success of another type": (
        {"kind": "Skipped", "succeeded": "true"},
        replace(SKIPPED, has_succeeded=False),
    ),
    "newer, transient": (
        {"kind": "Skipped", "transient": True},
        replace(SKIPPED, has_succeeded=False),
    ),
}
EACH_FORM = pytest.mark.parametrize(("form", "outcome"), OUTCOMES.values(), ids=OUTCOMES)
EACH_NEW_KIND = pytest.mark.parametrize("outcome", [EXPIRED, SKIPPED], ids=["failure", "success"])


@EACH_FORM
def test_outcome(form: dict[str, Any], outcome: Outcome) -> None:
    """An outcome is read, whichever version has written it, and written again as it was read."""
    assert from_dict(form) == outcome
    assert from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


@EACH_FORM
def test_answer(form: dict[str, Any], outcome: Outcome) -> None:
    """An answer is read, whichever version has given it; one without a result has none."""
    assert Answer.read(json.dumps({"outcome": form})) == Answer(outcome)
    more = {"outcome": form, "result": {"a": 1}, "resultUri": "s3://bucket/key", "version": 2}
    assert Answer.read(json.dumps(more)) == Answer(outcome, {"a": 1}, "s3://bucket/key")
    assert Answer.read(json.dumps({**more, "resultUri": ["x"]})) == Answer(outcome, {"a": 1})


@EACH_FORM
def test_reported_end(form: dict[str, Any], outcome: Outcome) -> None:
    """The end in a record is read with DynamoDB's numbers, whichever version has written it."""
    stored = {**form, "hardware": {"cpu": Decimal(1024)}}
    if isinstance(form.get("exitCode"), int):
        stored["exitCode"] = Decimal(form["exitCode"])
    record = Record.from_item({**NEW.to_item(), "lastOutcome": stored})
    end = record.end_of(outcome.task_arn)
    assert end == outcome
    # No number of DynamoDB's is left in what is told on.
    assert Answer.read(Answer(outcome).text()) == Answer(outcome)
    assert record.end_of("arn:other") is None


@pytest.mark.parametrize("code", ["75", [], {}, 1e999])
def test_code_of_another_container(code: object) -> None:
    """An answer is read although a container beside the main one has no number for a code."""
    told = {"kind": "ApplicationFailed", **TOLD, "endedBy": {"name": "guard", "exitCode": code}}
    answer = Answer.read(json.dumps({"outcome": told}))
    assert answer == Answer(ApplicationFailed(**FACTS, ended_by=OtherContainer(name="guard")))


@EACH_NEW_KIND
def test_words_of_a_new_kind(outcome: Outcome) -> None:
    """An unknown kind keeps its name, and always says what happened and what to do."""
    told = outcome.to_dict()
    assert told["kind"] == outcome.kind
    assert outcome.kind not in KINDS
    assert told["succeeded"] is outcome.succeeded is (outcome is SKIPPED)
    assert outcome.summary.endswith(".")
    assert outcome.advice.endswith(".")
    assert stop_reason(outcome).startswith(f"durable-task/{outcome.kind}: ")


@EACH_NEW_KIND
def test_new_kind_is_final(outcome: Outcome) -> None:
    """An unknown kind is not retried: only its own version knows if a retry helps."""
    everything = frozenset({*get_args(OnDemand), *range(256)})
    policy = Policy(max_attempts=10, retry_on=everything)
    assert policy.delay(outcome, 1, "seed") is None
    assert relaunch_delay(outcome, 1, 3_600, "seed") is None


@EACH_NEW_KIND
def test_new_kind_of_which_more_is_learned(outcome: Outcome) -> None:
    """An end of an unknown kind can be reclassified as a known one."""
    assert reclassified(outcome, Cancelled, "why") == Cancelled(
        task_arn=outcome.task_arn,
        exit_code=outcome.exit_code,
        started_at=outcome.started_at,
        stopped_at=outcome.stopped_at,
        detail="why",
    )


RECORDS: dict[str, tuple[dict[str, Any], Record]] = {
    "older, what must be there": (NEW.to_item(), NEW),
    "newer, more attributes": (
        {**NEW.to_item(), "parentArn": "arn", "phase": {"percent": Decimal(7)}},
        NEW,
    ),
    "newer, more of a job": (
        {**NEW.to_item(), "job": {**NEW.job.to_dict(), "ephemeralStorage": Decimal(50)}},
        replace(NEW, job=replace(NEW.job, is_whole=False)),
    ),
    "newer, closed": ({**CLOSED.to_item(), "resultManifest": "s3://bucket/key"}, CLOSED),
    "newer, more facts of an error": (
        {**CLOSED.to_item(), "error": {"kind": "LicenceExpired", "cause": "licence"}},
        replace(CLOSED, error={"kind": "LicenceExpired", "cause": "licence"}),
    ),
}


@pytest.mark.parametrize(("item", "record"), RECORDS.values(), ids=RECORDS)
def test_record(item: dict[str, Any], record: Record) -> None:
    """A record of any version is read, and its unknown attributes are left out."""
    assert Record.from_item(item) == record
