"""Running tasks as a user does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from core.correlation import Correlation
from core.flow import Flow
from local.ecs.capacity import SPOT
from tests.values import job, launch, place

if TYPE_CHECKING:
    from tests.e2e.user import User

# By SIGTERM, or by SIGKILL on a machine too busy for the scaled StopTimeout.
ENDED_BY_SIGNAL = {143, 137}


def request(user: User, seconds: int = 600, **changes: Any) -> dict[str, Any]:
    """Return RunTask's parameters for a worker that works for some time, as the flows ask."""
    task = user.system.stack.of_type("AWS::ECS::TaskDefinition")["TaskDefinition"]
    worker, cluster = task["ContainerDefinitions"][0]["Name"], user.outputs["ECSClusterName"]
    name, told = str(uuid.uuid4()), {"MESSAGE": "hi", "PROCESSING_TIME": str(seconds)}
    asked = launch(
        execution_arn=name,
        correlation=Correlation("test", name, 1),
        flow=Flow.POLLING,
        job=job(family=task["Family"], container=worker, environment=told),
    )
    return asked.request(place(cluster=cluster)) | changes


def on_spot(user: User, **changes: Any) -> dict[str, Any]:
    """Return the same parameters for a worker on Spot."""
    asked = request(user, capacityProviderStrategy=[{"capacityProvider": SPOT}], **changes)
    del asked["launchType"]
    return asked


def run(user: User, **changes: Any) -> str:
    """Start a task and return its ARN."""
    answer = user.ecs.run_task(**request(user, **changes))
    assert answer["failures"] == []
    return str(answer["tasks"][0]["taskArn"])
