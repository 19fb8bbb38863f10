"""CloudFormation's view of the stack: moto tells it, without having made anything of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import cloudformation_backends

if TYPE_CHECKING:
    from local.stack import Stack


@dataclass(frozen=True)
class _Resource:
    """A resource by the names that moto asks for."""

    logical_resource_id: str
    physical_resource_id: str
    cf_resource_type: str


@dataclass(frozen=True)
class _Deployed:
    """What moto's answers need to know of a stack; its own class would deploy the template."""

    name: str
    stack_id: str
    description: str
    parameters: list[dict[str, str]]
    outputs: list[dict[str, str]]
    stack_resources: list[_Resource]
    status: str = "CREATE_COMPLETE"
    capabilities: tuple[str, ...] = ("CAPABILITY_IAM",)
    creation_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    disable_rollback: bool = False
    tags: dict[str, str] = field(default_factory=dict)


def show(stack: Stack) -> None:
    """Let CloudFormation's API tell of the stack."""
    arn = f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack"
    deployed: Any = _Deployed(
        name=stack.name,
        stack_id=f"{arn}/{stack.name}/{uuid.uuid4()}",
        description=stack.description,
        parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in stack.parameters.items()
        ],
        outputs=[
            {"OutputKey": name, "OutputValue": value, "Description": stack.says(name)}
            for name, value in stack.outputs.items()
        ],
        stack_resources=[_Resource(*resource) for resource in stack.resources()],
    )
    backend = cloudformation_backends[stack.account][stack.region]
    backend.stacks[deployed.stack_id] = deployed
