from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.errors import AwsBusyError, AwsRefusedError
from core.flow import Flow
from core.outcome import Cancelled
from core.record import Status
from tests.integration.aws import JOB, DiedError, die, error, throttled

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
EACH_END = pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT"])
READS = ("dynamodb.GetItem", "ecs.ListTasks", "ecs.DescribeTasks")
CALLS = (*READS, "ecs.StopTask", "dynamodb.UpdateItem")
BUSY_OR_REFUSED = pytest.mark.parametrize(
    ("answer", "raised"),
    [(throttled(1)[0], AwsBusyError), (error("AccessDeniedException"), AwsRefusedError)],
    ids=["throttled", "refused"],
)


def closed_as(scene: Scene, record: Record) -> tuple[str, str, str | None]:
    """Return kind, detail and task of what closed a record as FAILED."""
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED, False)
    assert stored.expires_at is not None
    stored_error = dict(stored.error or {})
    assert stored_error == {**stored_error, "taskArn": stored.task_arn, "attempt": record.attempt}
    assert (stored.last_outcome or {})["kind"] == stored_error["kind"]
    return stored_error["kind"], stored_error["detail"], stored.task_arn


@EACH_FLOW
@EACH_END
def test_running_task(scene: Scene, flow: Flow, status: str) -> None:
    """The task of an ended execution is stopped as ours, and its record says why it was."""
    record = scene.running(flow)
    assert scene.tell(record, status) == f"abandoned: execution {status}"
    assert scene.stops() == [record.task_arn]
    assert isinstance(scene.outcome(record.task_arn), Cancelled)
    kind, detail, _ = closed_as(scene, record)
    assert (kind, detail) == ("Cancelled", f"The execution is {status}")


@EACH_FLOW
@EACH_END
def test_task_whose_arn_was_never_stored(scene: Scene, flow: Flow, status: str) -> None:
    """A task is found by its `startedBy` where the launch died before it stored the ARN."""
    record = scene.begin(flow)
    task_arn = scene.launch(record)
    scene.tell(record, status)
    assert scene.stops() == [task_arn]
    assert closed_as(scene, record) == ("Cancelled", f"The execution is {status}", task_arn)


@EACH_FLOW
@EACH_END
def test_no_task(scene: Scene, flow: Flow, status: str) -> None:
    """A record that no task came to is closed, whether it was to start or to start again."""
    first, second = scene.begin(flow), scene.between(flow)
    for record in (first, second):
        scene.tell(record, status)
        assert closed_as(scene, record) == ("Cancelled", f"The execution is {status}", None)
    assert scene.stops() == []


@EACH_FLOW
@EACH_END
@pytest.mark.parametrize("stored", [True, False], ids=["stored", "by name"])
def test_task_that_ended_badly(scene: Scene, flow: Flow, status: str, stored: bool) -> None:
    """A task that failed before it could be stopped keeps its own end."""
    record = scene.running(flow) if stored else scene.begin(flow)
    task_arn = record.task_arn or scene.launch(record)
    scene.end(task_arn, 3)
    scene.tell(record, status)
    assert closed_as(scene, record)[::2] == ("ApplicationFailed", task_arn)
    assert scene.stored(record).last_outcome == {
        **(scene.stored(record).last_outcome or {}),
        "exitCode": 3,
    }
    assert scene.stops() == []


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])
@EACH_END
def test_task_that_ended_well(scene: Scene, flow: Flow, status: str) -> None:
    """A success that its execution could not return any more is not a success."""
    record = scene.running(flow)
    scene.end(record.task_arn, 0)
    scene.tell(record, status)
    assert closed_as(scene, record)[::2] == ("Cancelled", record.task_arn)
    assert scene.stops() == []


@EACH_END
@pytest.mark.parametrize("stored", [True, False], ids=["stored", "by name"])
def test_work_that_nobody_waits_for(scene: Scene, status: str, stored: bool) -> None:
    """Work that was done stays done in the DynamoDB flow, however its execution ended."""
    begun = scene.running(Flow.DYNAMODB) if stored else scene.begin(Flow.DYNAMODB)
    task_arn = begun.task_arn or scene.launch(begun)
    scene.end(task_arn, 0)
    record = scene.put(replace(begun, status=Status.COMPLETED, result='"done"'))
    scene.tell(record, status)
    found = scene.stored(record)
    assert (found.status, found.is_open, found.task_arn) == (Status.COMPLETED, False, task_arn)
    assert (found.last_outcome or {})["kind"] == "Succeeded"


@EACH_FLOW
@EACH_END
def test_forgotten_task(scene: Scene, flow: Flow, status: str) -> None:
    """A task that ECS has forgotten cannot be stopped, and keeps no record open."""
    record = scene.running(flow)
    scene.aws.forget(record.task_arn)
    scene.tell(record, status)
    assert closed_as(scene, record)[::2] == ("Cancelled", record.task_arn)


def test_task_that_ecs_does_not_show_yet(aws: Aws, scene: Scene) -> None:
    """A task so young that DescribeTasks misses it is stopped all the same."""
    record = scene.running()
    aws.answer_with("ecs.DescribeTasks", {"tasks": [], "failures": [{"reason": "MISSING"}]})
    scene.tell(record, "STOPPED")
    assert isinstance(scene.outcome(record.task_arn), Cancelled)
    assert closed_as(scene, record)[0] == "Cancelled"


@EACH_FLOW
@EACH_END
def test_nothing_to_settle(scene: Scene, flow: Flow, status: str) -> None:
    """No record, another execution's record and a closed one are left as they are."""
    record, closed = scene.running(flow), scene.running(flow, is_open=False, expires_at=1)
    other = f"arn:aws:lambda:us-east-1:123456789012:other/{record.execution_id}"
    assert scene.tell("arn:aws:lambda:x/unknown", status) == "ignored: no record"
    assert scene.tell(other, status) == "ignored: no record"
    assert scene.tell(closed, status) == "ignored: record closed"
    assert [scene.stored(r) for r in (record, closed)] == [record, closed]
    assert scene.stops() == []


@pytest.mark.parametrize(
    "status", ["RUNNING", "SUCCEEDED", "PAUSED", "PAUSING", "DELETING", "INVENTED"]
)
def test_other_statuses(scene: Scene, status: str) -> None:
    """An execution that goes on, or has succeeded, keeps its task."""
    record = scene.running(Flow.DYNAMODB)
    assert scene.tell(record, status).startswith("ignored")
    assert scene.stored(record) == record
    assert scene.stops() == []


@EACH_FLOW
def test_repeated(scene: Scene, flow: Flow) -> None:
    """The same event again, or another one, changes nothing."""
    record = scene.running(flow)
    scene.tell(record, "STOPPED")
    before = scene.stored(record)
    for status in ("STOPPED", "FAILED"):
        assert scene.tell(record, status) == "ignored: record closed"
    assert scene.stored(record) == before
    assert len(scene.stops()) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", [*CALLS, "logs.GetLogEvents"])
def test_death(scene: Scene, operation: str, after: bool) -> None:
    """The next try settles the rest, wherever the function dies."""
    record = scene.begin()
    task_arn = scene.launch(record)
    scene.aws.at(operation, die, 1, after=after)
    with pytest.raises(DiedError):
        scene.tell(record, "STOPPED")
    scene.tell(record, "STOPPED")
    assert isinstance(scene.outcome(task_arn), Cancelled)
    assert closed_as(scene, record)[::2] == ("Cancelled", task_arn)


@BUSY_OR_REFUSED
@pytest.mark.parametrize("operation", CALLS)
def test_no_answer(
    aws: Aws, scene: Scene, operation: str, answer: dict[str, Any], raised: type[Exception]
) -> None:
    """A call that fails is an error, so that Lambda tries again, and the next try settles."""
    record = scene.begin()
    task_arn = scene.launch(record)
    aws.answer_with(operation, answer)
    with pytest.raises(raised):
        scene.tell(record, "TIMED_OUT")
    assert scene.stored(record).is_open
    scene.tell(record, "TIMED_OUT")
    assert isinstance(scene.outcome(task_arn), Cancelled)
    assert closed_as(scene, record)[::2] == ("Cancelled", task_arn)


def test_forged_task(scene: Scene) -> None:
    """A task of another family that bears our `startedBy` is not taken for the launch's own."""
    record = scene.begin()
    forged = scene.forge(record)
    scene.tell(record, "STOPPED")
    assert scene.stops() == []
    assert scene.outcome(forged) is None
    assert closed_as(scene, record)[2] is None


def test_family_of_the_job(scene: Scene) -> None:
    """A launch's own task is one of the family that the record's job names."""
    record = scene.begin(job=replace(JOB, family="foreign"))
    task_arn = scene.forge(record)
    scene.tell(record, "STOPPED")
    assert scene.stops() == [task_arn]
    assert closed_as(scene, record)[2] == task_arn
