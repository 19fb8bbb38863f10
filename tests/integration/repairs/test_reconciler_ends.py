from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters import clock
from core.flow import Flow
from core.outcome import ApplicationFailed, LearnedBy, Outcome, Succeeded
from core.outcome.kinds import MOMENTS
from core.record import Record, Status
from core.write import Write
from orchestrator import dynamodb, eventbridge, polling
from tests.integration.repairs.scene import LATER, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
EACH_CODE = pytest.mark.parametrize("code", [0, 3])
# What the function did at the end of a task, by flow and exit code.
DONE = {
    (Flow.POLLING, 0): "outcome stored",
    (Flow.POLLING, 3): "outcome stored",
    (Flow.DYNAMODB, 0): "record closed COMPLETED",
    (Flow.DYNAMODB, 3): "record closed FAILED",
    (Flow.EVENTBRIDGE, 0): "callback succeeded",
    (Flow.EVENTBRIDGE, 3): "callback failed",
}


@pytest.mark.parametrize("handler", [polling.handler, eventbridge.handler])
@EACH_CODE
def test_lost_event(
    aws: Aws, scene: Scene, durable: Start, handler: Callable[..., Any], code: int
) -> None:
    """An execution whose task's events were all lost ends as its task did."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    scene.end(record.task_arn, code)
    scene.reconcile()
    if code:
        assert execution.error()[1]["exitCode"] == code
    else:
        assert execution.result()["outcome"] == "Succeeded"
    assert aws.record().status is (Status.FAILED if code else Status.COMPLETED)
    assert scene.reconcile() == {}


@EACH_CODE
def test_lost_event_dynamodb(aws: Aws, scene: Scene, durable: Start, code: int) -> None:
    """A DynamoDB record is closed as its task ended."""
    durable(dynamodb.handler, {}).result()
    scene.end(aws.record().task_arn, code)
    assert scene.reconcile() == {DONE[Flow.DYNAMODB, code]: 1}
    record = aws.record()
    assert (record.status, record.is_open) == (
        Status.FAILED if code else Status.COMPLETED,
        False,
    )
    assert scene.reconcile() == {}


def comparable(record: Record) -> Record:
    """Return what a record tells, without what is each execution's own."""
    unlike = dict.fromkeys(("taskArn", *MOMENTS.values(), "learnedBy", "learnedAt"), "")
    outcome = {**(record.last_outcome or {}), **unlike}
    attempts = tuple({**attempt, **unlike} for attempt in record.attempts)
    error = dict(record.error or {})
    for name in ("taskArn", "logStream", "consoleLink"):
        error.pop(name, None)
    own = {"execution_id": "", "execution_arn": "", "task_arn": "", "callback_id": ""}
    moments = ("created_at", "updated_at", "begun_at", "deadline")
    times = {**dict.fromkeys(moments, ""), "expires_at": 0}
    both: dict[str, Any] = {**own, **times, "last_outcome": outcome, "error": error}
    both["attempts"] = attempts
    return replace(record, **both)


@EACH_FLOW
@EACH_CODE
def test_same_as_the_event(
    aws: Aws, scene: Scene, executions: Executions, flow: Flow, code: int
) -> None:
    """The reconciler reports an end to the same places, in the same words, as the event does."""
    by_event = scene.ended(flow, code)
    assert aws.report(by_event.task_arn) == {"done": DONE[flow, code]}
    by_look = scene.ended(flow, code)
    assert scene.reconcile()[DONE[flow, code]] == 1
    told = scene.stored(by_event), scene.stored(by_look)
    assert comparable(told[0]) == comparable(told[1])
    learned = [(record.last_outcome or {})["learnedBy"] for record in told]
    assert learned == ["event", "reconciler"]
    if flow is Flow.EVENTBRIDGE:
        first, second = executions.answer(by_event), executions.answer(by_look)
        assert (first.outcome.kind, first.result) == (second.outcome.kind, second.result)
    else:
        assert not executions.answers


@EACH_FLOW
@EACH_CODE
def test_after_the_event(
    aws: Aws, scene: Scene, executions: Executions, flow: Flow, code: int
) -> None:
    """The reconciler does not report an end that an event has reported."""
    record = scene.ended(flow, code)
    aws.report(record.task_arn)
    before, answered = scene.stored(record), dict(executions.answers)
    assert scene.reconcile() == ({"reported before": 1} if before.is_open else {})
    assert (scene.stored(record), executions.answers) == (before, answered)


@EACH_FLOW
@EACH_CODE
def test_before_the_event(
    aws: Aws, scene: Scene, executions: Executions, flow: Flow, code: int
) -> None:
    """An event that comes after all finds nothing left to do."""
    record = scene.ended(flow, code)
    scene.reconcile()
    before, answered = scene.stored(record), dict(executions.answers)
    done = "reported before" if before.is_open else "ignored: record closed"
    assert aws.report(record.task_arn) == {"done": done}
    assert (scene.stored(record), executions.answers) == (before, answered)


@EACH_FLOW
def test_end_of_this_moment(scene: Scene, executions: Executions, flow: Flow) -> None:
    """A task that ended just now is left to its event, for as long as that may take."""
    record = scene.running(flow)
    scene.end(record.task_arn, 0, ago=MINUTE)
    assert scene.reconcile() == {"ended just now": 1}
    assert scene.stored(record) == record
    assert not executions.answers
    scene.pass_time(LATER)
    assert scene.reconcile() == {DONE[flow, 0]: 1}


def test_result_of_this_moment(aws: Aws, scene: Scene, executions: Executions) -> None:
    """A result that the worker hands over while the reconciler looks is not left behind."""
    record = scene.running()

    def work() -> None:
        aws.rewrite("SET #result = :result", result='"done"')
        scene.end(record.task_arn)

    aws.script(work)
    scene.reconcile()
    assert executions.answer(record).result == "done"


def test_end_that_was_told_is_kept(scene: Scene, executions: Executions) -> None:
    """A record that is closed after its execution keeps the end that an event has reported."""
    record = scene.ended(Flow.POLLING, 0)
    ended = scene.outcome(record.task_arn)
    assert ended is not None
    outcome = ended.learned(LearnedBy.EVENT, clock.now())
    scene.records.report(record, outcome)
    executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == {"closed: execution succeeded": 1}
    fields = outcome.to_dict()
    assert fields["stoppedAt"] is not None
    assert scene.stored(record).last_outcome == fields


@EACH_FLOW
@pytest.mark.parametrize("known", [True, False], ids=["known", "forgotten"])
def test_lost_close_of_a_success(
    scene: Scene,
    executions: Executions,
    flow: Flow,
    known: bool,
) -> None:
    """An answered callback whose write was lost has its record closed as COMPLETED."""
    record = scene.ended(flow, 0)
    if flow is Flow.DYNAMODB:
        record = scene.put(replace(record, status=Status.COMPLETED))
    if not known:
        scene.aws.forget(record.task_arn)
    executions.answers[record.callback_id or ""] = None
    executions.set(record, "SUCCEEDED")
    for _ in range(2):
        scene.reconcile()
        scene.pass_time(LATER)
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.COMPLETED, False)
    assert (stored.task_arn, stored.result) == (record.task_arn, record.result)


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])
@pytest.mark.parametrize("was_told", [True, False], ids=["told", "untold"])
def test_lost_close_of_a_failure(
    scene: Scene,
    executions: Executions,
    flow: Flow,
    was_told: bool,
) -> None:
    """A failed execution that could not close its record leaves that to the reconciler."""
    record = scene.ended(flow, 3)
    if was_told:
        outcome = scene.outcome(record.task_arn) or Succeeded()
        assert scene.records.report(record, outcome) is Write.WRITTEN
    executions.answers[record.callback_id or ""] = None
    executions.set(record, "FAILED")
    scene.reconcile()
    scene.reconcile()
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED, False)
    assert (stored.error or {})["exitCode"] == 3


def test_lost_close_of_a_forgotten_failure(scene: Scene, executions: Executions) -> None:
    """An end that was stored is the record's, although ECS has forgotten it."""
    record = scene.running()
    outcome: Outcome = ApplicationFailed(task_arn=record.task_arn, exit_code=3)
    scene.records.report(record, outcome)
    scene.aws.forget(record.task_arn)
    executions.set(record, "FAILED")
    scene.reconcile()
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED, False)
    assert (stored.error or {})["kind"] == "ApplicationFailed"


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "untold"])
def test_failure_that_its_handler_expected(
    aws: Aws,
    scene: Scene,
    executions: Executions,
    lines: Lines,
    is_told: bool,
) -> None:
    """A task that failed leaves a failed record, although its execution went on and succeeded."""
    record = scene.ended(Flow.EVENTBRIDGE, 3)
    executions.answers[record.callback_id or ""] = None
    executions.set(record, "SUCCEEDED")
    if is_told:
        scene.records.report(record, scene.outcome(record.task_arn) or Succeeded())
        assert scene.reconcile() == {"closed: execution succeeded": 1}
    else:
        done = {"done": "callback was answered before"}
        assert aws.report(record.task_arn) == done
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED, False)
    assert (stored.error or {})["kind"] == "ApplicationFailed"
    assert (stored.error or {})["logStream"]
    assert lines.messages.count("Task failed") == 1
