"""Running tasks as a user does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from tests.waiting import until

if TYPE_CHECKING:
    from local.system import System

# By SIGTERM, or by SIGKILL on a machine too busy for the scaled StopTimeout.
ENDED_BY_SIGNAL = {143, 137}


def request(system: System, seconds: int = 600, **changes: Any) -> dict[str, Any]:
    """Return RunTask's parameters for a worker that works for some time."""
    variables = {
        "EXECUTION_ID": "one",
        "EXECUTION_FLOW": "polling",
        "EXECUTION_ATTEMPT": "1",
        "MESSAGE": "hi",
        "PROCESSING_TIME": str(seconds),
    }
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    [definition] = system.stack.of_type("AWS::ECS::TaskDefinition").values()
    container = definition["ContainerDefinitions"][0]["Name"]
    return {
        "cluster": system.stack.outputs["ECSClusterName"],
        "taskDefinition": definition["Family"],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "startedBy": f"test/{uuid.uuid4()}/1",
        "clientToken": str(uuid.uuid4()),
        "overrides": {"containerOverrides": [{"name": container, "environment": environment}]},
        **changes,
    }


def run(system: System, ecs: Any, **changes: Any) -> str:
    """Start a task and return its ARN."""
    answer = ecs.run_task(**request(system, **changes))
    assert answer["failures"] == []
    return str(answer["tasks"][0]["taskArn"])


def describe(system: System, ecs: Any, arn: str) -> dict[str, Any]:
    """Return a task as DescribeTasks shows it."""
    cluster = system.stack.outputs["ECSClusterName"]
    return dict(ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"][0])


def wait(system: System, ecs: Any, arn: str, status: str) -> dict[str, Any]:
    """Wait for a task's status and return the task."""

    def reached() -> dict[str, Any] | None:
        task = describe(system, ecs, arn)
        return task if task["lastStatus"] == status else None

    return until(reached, system.journal.wait_for) or {}


def stop(system: System, ecs: Any, arn: str, reason: str) -> None:
    """Stop a task."""
    ecs.stop_task(cluster=system.stack.outputs["ECSClusterName"], task=arn, reason=reason)
