"""Running tasks as a user does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.user import User

# By SIGTERM, or by SIGKILL on a machine too busy for the scaled StopTimeout.
ENDED_BY_SIGNAL = {143, 137}


def request(user: User, seconds: int = 600, **changes: Any) -> dict[str, Any]:
    """Return RunTask's parameters for a worker that works for some time."""
    variables = {
        "EXECUTION_ID": "one",
        "EXECUTION_FLOW": "polling",
        "EXECUTION_ATTEMPT": "1",
        "MESSAGE": "hi",
        "PROCESSING_TIME": str(seconds),
    }
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    [definition] = user.system.stack.of_type("AWS::ECS::TaskDefinition").values()
    container = definition["ContainerDefinitions"][0]["Name"]
    return {
        "cluster": user.outputs["ECSClusterName"],
        "taskDefinition": definition["Family"],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "startedBy": f"test/{uuid.uuid4()}/1",
        "clientToken": str(uuid.uuid4()),
        "overrides": {"containerOverrides": [{"name": container, "environment": environment}]},
        **changes,
    }


def run(user: User, **changes: Any) -> str:
    """Start a task and return its ARN."""
    answer = user.ecs.run_task(**request(user, **changes))
    assert answer["failures"] == []
    return str(answer["tasks"][0]["taskArn"])
