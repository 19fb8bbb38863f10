from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from local.ecs.mishaps import FailedStart
from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import Flow

WAITING: tuple[Flow, ...] = ("polling", "eventbridge")
NO_NETWORK = "Timeout waiting for network interface provisioning to complete."


@pytest.fixture(scope="module")
def impatient() -> Iterator[User]:
    """A user of a system in which executions wait a tenth of their time."""
    with System(time_scale=20, durable_scale=10) as system:
        yield User(system)


@pytest.mark.parametrize("flow", WAITING)
def test_lost_capacity_is_replaced(impatient: User, flow: Flow) -> None:
    """No room, a start that fails and a Spot interruption cost an execution time, and no more."""
    user, tasks = impatient, impatient.system.tasks
    tasks.refusals.append({"reason": "Capacity is unavailable at this time."})
    tasks.mishaps.append(FailedStart(NO_NETWORK))
    arn = user.start(flow, message="hi", processingTime=2)
    interrupt(user, arn, attempt=2)
    result = user.result(arn)
    assert (result["attempt"], result["outcome"], result["exitCode"]) == (3, "Succeeded", 0)
    started = [task for attempt in (1, 2, 3) for task in user.tasks(arn, attempt)]
    assert [result["taskArn"]] == started[2:]
    shown = [user.task(task, "STOPPED") for task in started]
    assert all(earlier["stoppedAt"] <= later["createdAt"] for earlier, later in pairwise(shown))
    stop_codes = [task["stopCode"] for task in shown]
    assert stop_codes == ["TaskFailedToStart", "SpotInterruption", "EssentialContainerExited"]
    record = user.closed(arn)
    assert (record["status"], record["attempt"]) == ("COMPLETED", 3)
    if flow == "eventbridge":
        assert result["result"]["message"] == "Processed: hi"


def interrupt(user: User, arn: str, attempt: int) -> None:
    """Take away the capacity of an attempt's task as soon as its worker works."""
    [task_arn] = user.wait(lambda: user.tasks(arn, attempt))
    user.wait(lambda: user.lines(task_arn))
    task = user.system.tasks.get(task_arn)
    assert task
    task.interrupt()
