"""Records of flows that only another version knows: it has written them, and deals with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.updates import plain
from core.flow import Flow
from tests.integration.aws import hand
from tests.integration.repairs.scene import HOUR, LATER, TABLE

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

IGNORED = "ignored: flow of another version"
EACH_END = pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT"])
# A batch has no task, a flow to come may have one.
WITHOUT_TASK: dict[str, Any] = {
    "flow": "workflow",
    **dict.fromkeys(("attempt", "launch", "callbackId", "job", "deadline")),
    "parts": {"done": 3},
}
WITH_TASK: dict[str, Any] = {"flow": "streaming", "attempt": 2, "callbackId": None}
EACH_FORM = pytest.mark.parametrize("form", [WITHOUT_TASK, WITH_TASK], ids=["bare", "with a task"])


def later(scene: Scene, form: dict[str, Any], *, has_task: bool = True) -> Record:
    """Store a record as a later version may write it; return what is known of it here."""
    record = scene.running(attempt=2) if has_task else scene.begin()
    return scene.put(record, **form)


def item(record: Record) -> dict[str, Any]:
    """Return a record's attributes."""
    key = {"executionId": {"S": record.execution_id}}
    return plain(hand("dynamodb").get_item(TableName=TABLE, Key=key)["Item"])


@EACH_FORM
@pytest.mark.parametrize("code", [0, 3])
def test_event_of_its_task(
    aws: Aws, scene: Scene, lines: Lines, form: dict[str, Any], code: int
) -> None:
    """The end of another version's task is ignored and not remembered: that version may take it."""
    record = later(scene, form)
    before = item(record)
    scene.end(record.task_arn, code)
    assert aws.report(record.task_arn) == {"done": IGNORED}
    assert item(record) == before
    assert not aws.remembered()
    assert {line.levelname for line in lines.records} == {"INFO"}


@EACH_FORM
@EACH_END
def test_event_of_its_execution(scene: Scene, form: dict[str, Any], status: str) -> None:
    """The end of another version's execution is no error: the reconciler can close its record."""
    record = later(scene, form)
    before = item(record)
    assert scene.tell(record, status) == IGNORED
    assert item(record) == before
    assert not scene.stops()


@EACH_FORM
@pytest.mark.parametrize("status", ["RUNNING", "PAUSED", "DELETING", "INVENTED"])
def test_execution_that_goes_on(
    scene: Scene, executions: Executions, lines: Lines, form: dict[str, Any], status: str
) -> None:
    """Another version's record and task are left alone, without a warning, while it goes on."""
    record = later(scene, form)
    executions.set(record, status)
    before = item(record)
    scene.running(Flow.POLLING)
    for _ in range(3):
        assert scene.reconcile() == {IGNORED: 1, "running": 1}
        scene.pass_time(LATER)
    scene.pass_time(HOUR)
    assert item(record) == before
    assert not scene.stops()
    assert {line.levelname for line in lines.records} == {"INFO"}


@EACH_FORM
@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT", None])
def test_execution_that_has_ended(
    scene: Scene, executions: Executions, form: dict[str, Any], status: str | None
) -> None:
    """Another version's record is closed, and its task stopped, once its execution is over."""
    record = later(scene, form)
    executions.set(record, status)
    assert scene.reconcile() == {"closed: unreadable": 1, "stopped: orphan": 1}
    closed = item(record)
    assert "open" not in closed
    assert closed["status"] == "FAILED"
    assert repr(form["flow"]) in closed["error"]["detail"]
    assert closed["expiresAt"]
    assert closed.get("parts") == form.get("parts")
    assert scene.stops() == [record.task_arn]
    assert scene.reconcile() == {}
    assert item(record) == closed


def test_execution_that_has_succeeded(scene: Scene, executions: Executions) -> None:
    """Another version's record stays open after a success only while its task runs."""
    bare, busy = later(scene, WITHOUT_TASK, has_task=False), later(scene, WITH_TASK)
    for record in (bare, busy):
        executions.set(record, "SUCCEEDED")
    for _ in range(2):
        scene.reconcile()
    assert ("open" in item(bare), "open" in item(busy)) == (False, True)
    assert not scene.stops()
    scene.end(busy.task_arn)
    scene.reconcile()
    assert "open" not in item(busy)


def test_closed(scene: Scene) -> None:
    """The task of another version's closed record is an orphan like any other."""
    record = later(scene, {**WITH_TASK, "open": None, "expiresAt": 2_000_000_000})
    assert scene.reconcile() == {"stopped: orphan": 1}
    assert scene.stops() == [record.task_arn]
