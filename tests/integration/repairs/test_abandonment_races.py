from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.record import Flow, Status
from ecs_events.failure import NotSettledError

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)


@EACH_FLOW
def test_task_that_is_stored_meanwhile(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A task whose start is written down while its execution's end is told is stopped too."""
    record = scene.begin(flow)
    started: list[str] = []

    def start() -> None:
        if not started:
            started.append(scene.launch(record))
            scene.put(replace(record, task_arn=started[0], status=Status.RUNNING))

    aws.after("ecs.ListTasks", start)
    with pytest.raises(NotSettledError):
        scene.tell(record, "STOPPED")
    assert scene.stored(record).is_open
    assert scene.tell(record, "STOPPED") == "abandoned: execution STOPPED"
    assert scene.stops() == started
    assert not scene.stored(record).is_open


def test_attempt_that_ends_meanwhile(aws: Aws, scene: Scene) -> None:
    """An execution that was stopped as it went on to its next attempt leaves nothing open."""
    record = scene.running()
    following = replace(record, attempt=2, status=Status.BACKOFF, task_arn=None)
    writes = [following]

    def go_on() -> None:
        if writes:
            scene.put(writes.pop())

    aws.before("dynamodb.UpdateItem", go_on)
    with pytest.raises(NotSettledError):
        scene.tell(record, "STOPPED")
    assert scene.tell(record, "STOPPED") == "abandoned: execution STOPPED"
    assert not scene.stored(record).is_open


@EACH_FLOW
@pytest.mark.parametrize(("status", "times"), [("FAILED", 0), ("STOPPED", 1), ("TIMED_OUT", 1)])
def test_failure_is_told(scene: Scene, lines: Lines, flow: Flow, status: str, times: int) -> None:
    """An execution that was ended from outside could not tell of its task: one line does."""
    record = scene.running(flow)
    for _ in range(2):
        scene.tell(record, status)
    failures = [vars(line)["error"] for line in lines.records if line.getMessage() == "Task failed"]
    assert [(error["kind"], error["taskArn"], error["attempt"]) for error in failures] == [
        ("Cancelled", record.task_arn, 1)
    ] * times
    assert all(error["logStream"] for error in failures)
