"""CloudFormation's view of the stack: moto tells it, without having made anything of it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import cloudformation_backends

if TYPE_CHECKING:
    from local.stack import Stack


def show(stack: Stack) -> None:
    """Let CloudFormation's API tell of the stack."""
    arn = f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack"
    # What moto's answers need to know of a stack; a stack of its own would deploy the template.
    deployed: Any = SimpleNamespace(
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
        stack_resources=[
            SimpleNamespace(
                logical_resource_id=logical_id,
                physical_resource_id=physical_id,
                cf_resource_type=kind,
            )
            for logical_id, physical_id, kind in stack.resources()
        ],
        status="CREATE_COMPLETE",
        capabilities=["CAPABILITY_IAM"],
        creation_time=datetime.now(UTC),
        disable_rollback=False,
        tags={},
    )
    backend = cloudformation_backends[stack.account][stack.region]
    backend.stacks[deployed.stack_id] = deployed
