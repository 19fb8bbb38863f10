"""CloudFormation's view of the stack: moto tells it, without having made anything of it."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from moto.cloudformation.models import cloudformation_backends

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from local.stack import Stack


class CloudFormationApi:
    """Tells moto which stack is meant by a resource of it; moto answers."""

    def __init__(self, stack: Stack) -> None:
        self._place = (stack.account, stack.region)

    def __call__(self, request: Request, _operation: str) -> None:
        """Leave a request to moto, in words that it knows."""
        asked = {
            name: values[0] for name, values in parse_qs(request.get_data(as_text=True)).items()
        }
        if asked.get("Action") != "DescribeStackResources" or "PhysicalResourceId" not in asked:
            return
        # No stack is called as its resources are: a name that is none is answered by an error.
        asked["StackName"] = self._stack_of(asked.pop("PhysicalResourceId"))
        body = urlencode(asked).encode()
        request.environ["wsgi.input"] = io.BytesIO(body)
        request.environ["CONTENT_LENGTH"] = str(len(body))

    def _stack_of(self, physical_id: str) -> str:
        account, region = self._place
        stacks: list[Any] = list(cloudformation_backends[account][region].stacks.values())
        for stack in stacks:
            if physical_id in {one.physical_resource_id for one in stack.stack_resources}:
                return str(stack.name)
        return physical_id


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
