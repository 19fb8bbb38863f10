"""How an end is judged, as one table: flow, the task's end, the execution's, the worker's words."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import core
from core.answer import MAX_ANSWER_BYTES
from core.flow import Flow
from core.outcome import (
    KINDS,
    NOT_FETCHED,
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    InfrastructureLost,
    Missing,
    Outcome,
    SpotInterrupted,
    Succeeded,
    TimedOut,
    stop_reason,
)
from core.record import Status
from core.verdict import ENDED_BADLY, Verdict, unclosed, verdict, without_room, witnessed
from tests import values

SRC = Path(core.__file__).parents[1]
TASK = "arn:task"
EXIT_0 = Succeeded(task_arn=TASK, exit_code=0)
EXIT_3 = ApplicationFailed(task_arn=TASK, exit_code=3)
SPOT = SpotInterrupted(task_arn=TASK)
NO_TASK = FailedToStart(detail="no room")
TOO_LARGE = json.dumps("x" * MAX_ANSWER_BYTES)
AWAITED = [flow for flow in Flow if flow.is_awaited]
TAKING = [flow for flow in Flow if flow.takes_result]
ALL, DYNAMODB, EVENTBRIDGE = list(Flow), [Flow.DYNAMODB], [Flow.EVENTBRIDGE]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        why: the reason, and the test's id.
        wrote: what the worker has written into the record.
        executions: the execution's status, each alike.
        expected: status, kind of the outcome, whether who closes the record logs it.
    """

    why: str
    flows: list[Flow]
    outcome: Outcome
    expected: tuple[Status, str, bool]
    wrote: dict[str, Any] = field(default_factory=dict)
    executions: tuple[str | None, ...] = (None,)
    reported: Outcome | None = None


DONE, FAILED = Status.COMPLETED, Status.FAILED
BADLY = tuple(sorted(ENDED_BADLY))
WORKER_DONE: dict[str, Any] = {"status": DONE, "result": "1"}
WORKER_FAILED: dict[str, Any] = {"status": FAILED}
ELSEWHERE: dict[str, Any] = {"stray_uri": "s3://elsewhere/key"}

TABLE = [
    Row(
        "exit 0 of a container that wrote nothing is a success",
        ALL,
        EXIT_0,
        (DONE, "Succeeded", False),
    ),
    Row(
        "a result is no reason to fail", ALL, EXIT_0, (DONE, "Succeeded", False), {"result": "[1]"}
    ),
    Row(
        "an execution that waits logs its failure itself",
        AWAITED,
        EXIT_3,
        (FAILED, "ApplicationFailed", False),
    ),
    Row(
        "a failure that nobody waits for is logged at the close",
        DYNAMODB,
        EXIT_3,
        (FAILED, "ApplicationFailed", True),
    ),
    Row(
        "a kind is kept, not made the application's",
        AWAITED,
        SPOT,
        (FAILED, "SpotInterrupted", False),
    ),
    Row(
        "a result that no callback takes makes a failure",
        EVENTBRIDGE,
        EXIT_0,
        (FAILED, "ApplicationFailed", False),
        {"result": TOO_LARGE},
    ),
    Row(
        "a large result that stays in the record is a success",
        DYNAMODB,
        EXIT_0,
        (DONE, "Succeeded", False),
        {"result": TOO_LARGE},
    ),
    Row(
        "a result in S3 is no reason to fail",
        TAKING,
        EXIT_0,
        (DONE, "Succeeded", False),
        {"result_uri": "s3://ours"},
    ),
    Row(
        "a result that lies elsewhere makes a failure",
        EVENTBRIDGE,
        EXIT_0,
        (FAILED, "ApplicationFailed", False),
        ELSEWHERE,
    ),
    Row(
        "it does so where nobody waits",
        DYNAMODB,
        EXIT_0,
        (FAILED, "ApplicationFailed", True),
        ELSEWHERE,
        (None, "SUCCEEDED"),
    ),
    Row(
        "a worker that has completed its work elsewhere has not",
        DYNAMODB,
        EXIT_0,
        (FAILED, "ApplicationFailed", True),
        ELSEWHERE | WORKER_DONE,
        (None, "SUCCEEDED", *BADLY),
    ),
    Row(
        "a failure keeps its kind, wherever its worker says that a result lies",
        DYNAMODB,
        SPOT,
        (FAILED, "SpotInterrupted", True),
        ELSEWHERE | WORKER_DONE,
    ),
    # The worker's word, where nobody waits.
    Row(
        "a worker that has completed its work has, whatever became of its task",
        DYNAMODB,
        SPOT,
        (DONE, "SpotInterrupted", False),
        WORKER_DONE,
    ),
    Row(
        "the same after the execution, which is over early",
        DYNAMODB,
        SPOT,
        (DONE, "SpotInterrupted", False),
        WORKER_DONE,
        ("SUCCEEDED",),
    ),
    Row(
        "a worker that reports a failure has failed, with exit 0 too",
        DYNAMODB,
        EXIT_0,
        (FAILED, "ApplicationFailed", True),
        WORKER_FAILED,
    ),
    Row(
        "a worker's failure keeps ECS's kind",
        DYNAMODB,
        SPOT,
        (FAILED, "SpotInterrupted", True),
        WORKER_FAILED,
    ),
    Row(
        "silence is filled in by ECS's word after the execution, too",
        DYNAMODB,
        EXIT_0,
        (DONE, "Succeeded", False),
        {},
        ("SUCCEEDED",),
    ),
    # The execution has succeeded.
    Row(
        "the answer of an earlier try came through",
        AWAITED,
        EXIT_0,
        (DONE, "Succeeded", False),
        {},
        ("SUCCEEDED",),
    ),
    Row(
        "a handler of one's own has swallowed the failure: somebody has to log it",
        AWAITED,
        EXIT_3,
        (FAILED, "ApplicationFailed", True),
        {},
        ("SUCCEEDED",),
    ),
    Row(
        "a result that an execution has taken is not too large any more",
        EVENTBRIDGE,
        EXIT_0,
        (DONE, "Succeeded", False),
        {"result": TOO_LARGE},
        ("SUCCEEDED",),
    ),
    # The execution has ended badly.
    Row(
        "a success that nobody takes any more is in vain",
        ALL,
        EXIT_0,
        (FAILED, "Cancelled", True),
        {},
        BADLY,
    ),
    Row(
        "a result does not save it",
        EVENTBRIDGE,
        EXIT_0,
        (FAILED, "Cancelled", True),
        {"result": "1"},
        BADLY,
    ),
    Row("a failure keeps its kind", ALL, EXIT_3, (FAILED, "ApplicationFailed", True), {}, BADLY),
    Row(
        "a worker's completed work is not in vain",
        DYNAMODB,
        EXIT_0,
        (DONE, "Succeeded", False),
        WORKER_DONE,
        BADLY,
    ),
    Row(
        "nor is it where its task was stopped after it",
        DYNAMODB,
        SPOT,
        (DONE, "SpotInterrupted", False),
        WORKER_DONE,
        BADLY,
    ),
    Row(
        "a worker's failure stays one",
        DYNAMODB,
        EXIT_0,
        (FAILED, "Cancelled", True),
        WORKER_FAILED,
        BADLY,
    ),
    Row(
        "the failure that the execution reports is the record's",
        ALL,
        EXIT_0,
        (FAILED, "FailedToStart", False),
        {},
        BADLY,
        NO_TASK,
    ),
    Row(
        "a worker's completed work outweighs what the execution reports",
        DYNAMODB,
        EXIT_0,
        (DONE, "Succeeded", False),
        WORKER_DONE,
        BADLY,
        NO_TASK,
    ),
    # The execution's last step reports a failure.
    Row(
        "an execution that gives up says why, and logs it",
        ALL,
        NO_TASK,
        (FAILED, "FailedToStart", False),
        {},
        (None,),
        NO_TASK,
    ),
    Row(
        "it does not know what its worker has written",
        DYNAMODB,
        NO_TASK,
        (FAILED, "FailedToStart", False),
        WORKER_DONE,
        (None,),
        NO_TASK,
    ),
]
EACH_WRITTEN: list[dict[str, Any]] = [
    {},
    {"result": "1"},
    {"result": TOO_LARGE},
    WORKER_DONE,
    WORKER_FAILED,
    {"result_uri": "s3://ours"},
    ELSEWHERE,
    ELSEWHERE | WORKER_DONE,
]
EACH_STATE: list[tuple[Flow, Outcome, str | None, dict[str, Any]]] = [
    (flow, outcome(task_arn=TASK), execution, wrote)
    for flow, outcome, execution, wrote in product(
        Flow,
        KINDS.values(),
        [None, "SUCCEEDED", *BADLY],
        EACH_WRITTEN,
    )
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.why)
def test_verdict(row: Row) -> None:
    """An end is judged as its row of the table says."""
    for flow, execution in product(row.flows, row.executions):
        record = values.record(flow=flow, **_written(flow, row.wrote))
        judged = verdict(record, row.outcome, execution, row.reported)
        assert (judged.status, judged.outcome.kind, judged.is_logged) == row.expected


def test_no_success_hides_a_failure() -> None:
    """A record is COMPLETED by ECS's success, or by the word of a worker that reports its end."""
    for flow, outcome, execution, wrote in EACH_STATE:
        record = values.record(flow=flow, **_written(flow, wrote))
        judged = verdict(record, outcome, execution)
        if judged.status is DONE:
            assert outcome.succeeded or record.status is DONE
            assert record.stray_uri is None
        assert judged.outcome.task_arn == TASK
        assert judged.outcome.exit_code == outcome.exit_code
        # A success in a failed record would be a riddle.
        assert judged.status is DONE or not judged.outcome.succeeded


def test_each_failure_is_logged_once() -> None:
    """A failure is logged at the close of the record unless its execution logs it."""
    for flow, outcome, execution, wrote in EACH_STATE:
        record = values.record(flow=flow, **_written(flow, wrote))
        judged = verdict(record, outcome, execution)
        goes_on = flow.is_awaited and execution is None
        assert judged.is_logged is (judged.status is FAILED and not goes_on)
        if execution in ENDED_BADLY:
            assert not verdict(record, outcome, execution, NO_TASK).is_logged


def test_size_is_told() -> None:
    """A result that no callback takes is refused with both sizes and a way out."""
    record = values.record(flow=Flow.EVENTBRIDGE, result=TOO_LARGE)
    outcome = verdict(record, EXIT_0).outcome
    assert outcome.exit_code == 0
    assert f"at most {MAX_ANSWER_BYTES} are taken" in outcome.detail
    assert "S3" in outcome.detail


@pytest.mark.parametrize("length", [1, 2_000])
def test_place_is_told(length: int) -> None:
    """A result outside its prefix is refused with its address, cut, and with RESULT_URI."""
    record = values.record(stray_uri="x" * length)
    outcome = verdict(record, EXIT_0).outcome
    assert outcome.exit_code == 0
    assert "x" * min(length, 300) in outcome.detail
    assert "RESULT_URI" in outcome.detail
    assert len(outcome.detail) < 1_000


def test_without_room() -> None:
    """A result without room in the item fails the flow that keeps it there, and no other."""
    completed, failed = Verdict(DONE, EXIT_0), Verdict(FAILED, EXIT_3)
    for flow in Flow:
        record = values.record(flow=flow)
        assert without_room(record, failed, "full") == failed
        if flow.is_awaited:
            assert without_room(record, completed, "full") == completed
    record = values.record(flow=Flow.DYNAMODB)
    judged = without_room(record, completed, "full")
    assert (judged.status, judged.outcome.kind, judged.outcome.detail) == (
        FAILED,
        "ApplicationFailed",
        "full",
    )
    assert judged.is_logged
    assert without_room(record, Verdict(DONE, SPOT), "full") == Verdict(FAILED, SPOT)


def test_without_room_after_a_report() -> None:
    """A failure that the item's size makes is not logged where the execution has logged one."""
    record = values.record(flow=Flow.DYNAMODB, **WORKER_DONE)
    completed = verdict(record, EXIT_0, "FAILED", NO_TASK)
    failed = without_room(record, completed, "full")
    assert (completed.status, failed.status, failed.is_logged) == (DONE, FAILED, False)


def test_unclosed() -> None:
    """A success without its result is no success, except in a flow without results."""
    for flow in Flow:
        assert unclosed(flow, EXIT_3, "throttled") == EXIT_3
        kind = Missing if flow.takes_result else Succeeded
        outcome = unclosed(flow, EXIT_0, "throttled")
        assert isinstance(outcome, kind)
        assert outcome.task_arn == TASK
    assert "throttled" in unclosed(Flow.EVENTBRIDGE, EXIT_0, "throttled").detail
    assert isinstance(verdict(values.record(), EXIT_0, "STOPPED").outcome, Cancelled)


@pytest.mark.parametrize(
    ("unstarted", "kind"),
    [
        (FailedToStart(task_arn="arn", detail="CannotPullContainerError: EOF"), "Missing"),
        (FailedToStart(task_arn="arn", detail=stop_reason(TimedOut())), "TimedOut"),
        (FailedToStart(task_arn="arn", exit_code=NOT_FETCHED), "ApplicationFailed"),
        # Its task, if there is one, was never known.
        (FailedToStart(detail="RunTask gave no answer"), "FailedToStart"),
        (InfrastructureLost(task_arn="arn"), "InfrastructureLost"),
    ],
)
def test_result_proves_a_start(unstarted: Outcome, kind: str) -> None:
    """Work that has handed over a result has begun, whatever ECS says of its start."""
    for wrote in ({"result": '"done"'}, {"result_uri": "s3://ours"}, ELSEWHERE):
        done = values.record(flow=Flow.EVENTBRIDGE, **wrote)
        assert witnessed(done, unstarted).kind == kind
        assert verdict(done, unstarted).outcome.kind == kind
    for nobody_asks in (
        values.record(flow=Flow.EVENTBRIDGE),
        values.record(flow=Flow.POLLING, result='"done"'),
    ):
        assert witnessed(nobody_asks, unstarted) is unstarted


def test_decided_in_one_place() -> None:
    """Only the verdict changes a task's end, or turns an outcome into a status."""
    for path in SRC.rglob("*.py"):
        if path in (SRC / "core/verdict.py", *SRC.glob("core/outcome/*.py")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Name) or node.id != "reclassified"
            if isinstance(node, ast.IfExp) and "succeeded" in ast.unparse(node.test):
                assert "Status." not in ast.unparse(node)


def _written(flow: Flow, wrote: dict[str, Any]) -> dict[str, Any]:
    """Return the record's columns as they are read in a flow, see `Record.from_item`."""
    read = {**wrote}
    if not flow.takes_result:
        for name in ("result", "result_uri", "stray_uri"):
            read.pop(name, None)
    if not flow.worker_reports_end:
        read.pop("status", None)
    return read
