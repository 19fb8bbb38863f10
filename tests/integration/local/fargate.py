"""Running tasks as a user does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from core.correlation import Correlation
from core.flow import Flow
from core.launch import Launch, Place
from core.payload import Work

if TYPE_CHECKING:
    from tests.e2e.user import User

# By SIGTERM, or by SIGKILL on a machine too busy for the scaled StopTimeout.
ENDED_BY_SIGNAL = {143, 137}


def request(user: User, seconds: int = 600, **changes: Any) -> dict[str, Any]:
    """Return RunTask's parameters for a worker that works for some time, as the flows ask."""
    [task] = user.system.stack.of_type("AWS::ECS::TaskDefinition").values()
    worker, cluster = task["ContainerDefinitions"][0]["Name"], user.outputs["ECSClusterName"]
    place = Place(cluster, task["Family"], worker, "", ["subnet-1"], ["sg-1"], "ENABLED")
    name, work = Correlation("test", str(uuid.uuid4()), 1), Work("hi", seconds, timeout_seconds=600)
    return Launch(name.execution_id, name, 1, Flow.POLLING, work).request(place) | changes


def run(user: User, **changes: Any) -> str:
    """Start a task and return its ARN."""
    answer = user.ecs.run_task(**request(user, **changes))
    assert answer["failures"] == []
    return str(answer["tasks"][0]["taskArn"])
