from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.flow import Flow
from core.outcome import FailedToStart, TimedOut
from core.record import Status
from core.verdict import ENDED_BADLY
from core.write import Write
from ecs_events.closing import NotSettledError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
GIVEN_UP = FailedToStart(detail="RunTask had no answer").to_dict()


def told(record: Record, data: Mapping[str, Any]) -> str:
    """Return the data of the error with which a record's execution fails."""
    return json.dumps({**data, "executionId": record.execution_id})


@EACH_FLOW
def test_task_that_is_stored_meanwhile(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A task whose start is stored while its execution's end is processed is stopped too."""
    record = scene.begin(flow)
    started: list[str] = []

    def start() -> None:
        if not started:
            started.append(scene.launch(record))
            scene.put(replace(record, task_arn=started[0], status=Status.RUNNING))

    aws.at("ecs.ListTasks", start, after=True)
    with pytest.raises(NotSettledError):
        scene.tell(record, "STOPPED")
    assert scene.stored(record).is_open
    assert scene.tell(record, "STOPPED") == "abandoned: execution STOPPED"
    assert scene.stops() == started
    assert not scene.stored(record).is_open


def test_attempt_that_ends_meanwhile(aws: Aws, scene: Scene) -> None:
    """An execution that was stopped as it went on to its next attempt leaves nothing open."""
    record = scene.running()
    following = replace(record, attempt=2, launch=0, status=Status.BACKOFF, task_arn=None)
    writes = [following]

    def go_on() -> None:
        if writes:
            scene.put(writes.pop())

    aws.at("dynamodb.UpdateItem", go_on)
    with pytest.raises(NotSettledError):
        scene.tell(record, "STOPPED")
    assert scene.tell(record, "STOPPED") == "abandoned: execution STOPPED"
    assert not scene.stored(record).is_open


@EACH_FLOW
@pytest.mark.parametrize("status", sorted(ENDED_BADLY))
def test_failure_is_told(scene: Scene, lines: Lines, flow: Flow, status: str) -> None:
    """An execution that ended without a report leaves one log line about its task."""
    record = scene.running(flow)
    for _ in range(2):
        scene.tell(record, status)
    failures = _failures(lines)
    assert [(error["kind"], error["taskArn"], error["attempt"]) for error in failures] == [
        ("Cancelled", record.task_arn, 1)
    ]
    assert all(error["logStream"] for error in failures)


@EACH_FLOW
def test_failure_whose_record_was_left_open(
    scene: Scene, executions: Executions, lines: Lines, flow: Flow
) -> None:
    """An execution that logged its failure, but could not close its record, is not logged again."""
    record = scene.begin(flow)
    executions.set(record, "FAILED", Error={"ErrorData": told(record, GIVEN_UP)})
    scene.tell(record, "FAILED")
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED, False)
    error = stored.error or {}
    assert (error["kind"], error["detail"]) == ("FailedToStart", "RunTask had no answer")
    assert not _failures(lines)


def test_work_whose_launch_was_given_up(scene: Scene, executions: Executions, lines: Lines) -> None:
    """Work that was done has started, whatever its execution reports of the launch."""
    begun = scene.begin(Flow.DYNAMODB)
    task_arn = scene.launch(begun)
    scene.end(task_arn, 0)
    record = scene.put(replace(begun, status=Status.COMPLETED, result='"done"'))
    executions.set(record, "FAILED", Error={"ErrorData": told(record, GIVEN_UP)})
    scene.tell(record, "FAILED")
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.COMPLETED, False)
    assert stored.task_arn == task_arn
    assert (stored.last_outcome or {})["kind"] == "Succeeded"
    assert not _failures(lines)


@pytest.mark.parametrize(
    "data",
    [
        *("", "[1]", "no JSON", "{}", "[" * 100_000, '{"kind":"Other"}', '{"kind":"TimedOut"}'),
        json.dumps({**GIVEN_UP, "executionId": "another"}),
    ],
)
def test_failure_of_another_kind(
    scene: Scene, executions: Executions, lines: Lines, data: str
) -> None:
    """An error that is not ours says nothing about a task, so the close logs the failure."""
    record = scene.running()
    executions.set(record, "FAILED", Error={"ErrorData": data})
    assert scene.tell(record, "FAILED") == "abandoned: execution FAILED"
    assert [error["kind"] for error in _failures(lines)] == ["Cancelled"]


@pytest.mark.parametrize("succeeded", [True, None])
def test_failure_without_a_failed_task(
    scene: Scene, executions: Executions, lines: Lines, succeeded: bool | None
) -> None:
    """An error that reports a success, or no kind of end, is not taken as the record's error."""
    record = scene.running()
    data = {"kind": "Better", "succeeded": succeeded} if succeeded else {}
    executions.set(record, "FAILED", Error={"ErrorData": told(record, data)})
    scene.tell(record, "FAILED")
    assert [error["kind"] for error in _failures(lines)] == ["Cancelled"]


def test_failure_of_a_later_version(scene: Scene, executions: Executions, lines: Lines) -> None:
    """A failure that a later version has classified is the record's, in that version's words."""
    record = scene.begin()
    later = {"kind": "QuotaUsedUp", "succeeded": False, "summary": "No vCPU.", "detail": "vCPU: 0"}
    executions.set(record, "FAILED", Error={"ErrorData": told(record, later)})
    scene.tell(record, "FAILED")
    error = scene.stored(record).error or {}
    assert (error["kind"], error["summary"]) == ("QuotaUsedUp", "No vCPU.")
    assert not _failures(lines)


@EACH_FLOW
def test_two_who_close_at_once(aws: Aws, scene: Scene, lines: Lines, flow: Flow) -> None:
    """Only the function that closes the record logs, if two find an execution stopped at once."""
    record = scene.running(flow)
    others = [lambda: scene.tell(record, "STOPPED")]

    def close() -> None:
        if others:
            others.pop()()

    aws.at("dynamodb.UpdateItem", close)
    scene.tell(record, "STOPPED")
    assert len(_failures(lines)) == 1
    assert not scene.stored(record).is_open


@pytest.mark.parametrize("is_told", [True, False], ids=["event", "look"])
def test_failure_that_is_told_meanwhile(
    aws: Aws, scene: Scene, executions: Executions, lines: Lines, is_told: bool
) -> None:
    """An execution that closes its record during a look has logged its failure itself."""
    record = scene.running()
    if is_told:
        scene.end(record.task_arn, 3)
    executions.set(record, "FAILED")
    closings = [TimedOut(task_arn=record.task_arn)]

    def close() -> None:
        if closings:
            write = scene.records.close(record, Status.FAILED, closings.pop())
            assert write is Write.WRITTEN

    aws.at("dynamodb.GetItem", close, after=True)
    if is_told:
        assert aws.report(record.task_arn) == {"done": "record moved on"}
    else:
        assert scene.reconcile()["record moved on"] == 1
    assert (scene.stored(record).error or {})["kind"] == "TimedOut"
    assert not _failures(lines)


def _failures(lines: Lines) -> list[Mapping[str, Any]]:
    return [vars(line)["error"] for line in lines.records if line.getMessage() == "Task failed"]
