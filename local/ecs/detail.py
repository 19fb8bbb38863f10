"""A task in the shape that its events and DescribeTasks share."""

from __future__ import annotations

import copy
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.utils import iso_8601_datetime_with_milliseconds

from local.ecs.capacity import ON_DEMAND, provider
from local.ecs.size import container_size, task_size
from local.events.envelope import envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.stack import Stack


def new_detail(
    stack: Stack, definition: Mapping[str, Any], request: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return a task that RunTask has just accepted; moments are datetimes.

    Args:
        stack: the stack of the cluster.
        definition: properties of the AWS::ECS::TaskDefinition.
        request: RunTask's parameters.
        now: the present moment.
    """
    task_id = uuid.uuid4().hex
    cluster = request["cluster"].rpartition("/")[2]
    arn = f"arn:aws:ecs:{stack.region}:{stack.account}"
    family, overrides = definition["Family"], request.get("overrides", {})
    detail = {
        "attachments": [_network_interface(request)],
        "availabilityZone": f"{stack.region}a",
        "clusterArn": f"{arn}:cluster/{cluster}",
        "connectivity": "CONNECTED",
        "containers": [
            _container(container, f"{arn}:task/{cluster}/{task_id}", f"{arn}:container/{cluster}")
            | container_size(container, overrides)
            for container in definition["ContainerDefinitions"]
        ],
        "createdAt": now,
        "desiredStatus": "RUNNING",
        "enableExecuteCommand": False,
        "group": f"family:{family}",
        "lastStatus": "PROVISIONING",
        "capacityProviderName": provider(request),
        # The launch type is the same for tasks on Spot.
        "launchType": ON_DEMAND,
        "overrides": overrides,
        "platformVersion": "1.4.0",
        "startedBy": request.get("startedBy"),
        "taskArn": f"{arn}:task/{cluster}/{task_id}",
        "taskDefinitionArn": f"{arn}:task-definition/{family}:1",
        "updatedAt": now,
        "version": 1,
        **task_size(definition, overrides),
    }
    return {name: value for name, value in detail.items() if value is not None}


def event(detail: Mapping[str, Any], stack: Stack) -> dict[str, Any]:
    """Return the `ECS Task State Change` event about a task's present state."""
    kind, about = "ECS Task State Change", [detail["taskArn"]]
    return envelope(stack, "aws.ecs", kind, told(detail), about)


def told(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task as an event writes it."""
    return _written(detail, iso_8601_datetime_with_milliseconds)


def described(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task as ECS's API writes it: without the member that only events have."""
    answer = _written(detail, datetime.timestamp)
    del answer["updatedAt"]
    return answer


def _written(detail: Mapping[str, Any], form: Callable[[datetime], str | float]) -> dict[str, Any]:
    shown = {k: form(v) if isinstance(v, datetime) else v for k, v in detail.items()}
    return copy.deepcopy(shown)


def _container(definition: Mapping[str, Any], task_arn: str, arn: str) -> dict[str, Any]:
    return {
        "containerArn": f"{arn}/{uuid.uuid4()}",
        "taskArn": task_arn,
        "name": definition["Name"],
        "image": definition["Image"],
        "lastStatus": "PENDING",
        "networkInterfaces": [],
    }


def _network_interface(request: Mapping[str, Any]) -> dict[str, Any]:
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    subnets = network.get("subnets") or [""]
    return {
        "id": str(uuid.uuid4()),
        "type": "eni",
        "status": "PRECREATED",
        "details": [{"name": "subnetId", "value": subnets[0]}],
    }
