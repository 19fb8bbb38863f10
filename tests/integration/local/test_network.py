from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ecs.task import Task
    from tests.e2e.user import Flow

# Tasks that end by nothing but what the test does to them.
PAYLOADS: Mapping[Flow, Mapping[str, Any]] = {
    "polling": {"processingTime": 20_000, "pollSeconds": 60},
    "eventbridge": {"processingTime": 20_000},
}
MOVED = {"subnets": "subnet-0b", "securityGroups": "sg-0b", "assignPublicIp": "DISABLED"}


def test_next_attempt_of_a_running_execution() -> None:
    """An execution that began before its stack's network changed retries in the new subnets."""
    with System(time_scale=200, durable_scale=200, in_process=True) as system:
        user = User(system)
        started = [user.start(flow, **payload) for flow, payload in PAYLOADS.items()]
        running = [task(user, arn, attempt=1) for arn in started]
        [parameter] = system.stack.of_type("AWS::SSM::Parameter").values()
        system.account.client("ssm").put_parameter(
            Name=parameter["Name"], Value=json.dumps(MOVED), Overwrite=True
        )
        changed = system.clock.now()
        user.wait(lambda: system.clock.now() - changed > timedelta(minutes=1))
        for each in running:
            each.interrupt()
        following = [task(user, arn, attempt=2) for arn in started]
        assert all(subnet(user, each) in parameter["Value"] for each in running)
        assert [subnet(user, each) for each in following] == [MOVED["subnets"]] * len(PAYLOADS)


def task(user: User, arn: str, attempt: int) -> Task:
    """Wait until the task of an execution's attempt runs, and return it."""
    [task_arn] = user.wait(lambda: user.tasks(arn, attempt))
    user.task(task_arn, "RUNNING")
    found = user.system.tasks.get(task_arn)
    assert found
    return found


def subnet(user: User, task: Task) -> str:
    """Return the subnet that ECS shows of a task."""
    [attachment] = user.task(task.arn)["attachments"]
    details = {detail["name"]: detail["value"] for detail in attachment["details"]}
    return str(details["subnetId"])
