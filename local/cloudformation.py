"""CloudFormation's view of the stack: moto answers, although it has not made the stack."""

from __future__ import annotations

import io
import threading
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

    from local.stack import Stack


class CloudFormationApi:
    """Gives moto the stack, and the stack of a named resource; moto answers."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._showing = threading.Lock()
        self._stacks: dict[str, Any] | None = None

    def __call__(self, request: Request, _operation: str) -> None:
        """Leave a request to moto, rewritten to the form that it knows."""
        with self._showing:
            self._stacks = self._stacks or _shown(self._stack)
        asked = {
            name: values[0] for name, values in parse_qs(request.get_data(as_text=True)).items()
        }
        if asked.get("Action") != "DescribeStackResources" or "PhysicalResourceId" not in asked:
            return
        # An unknown id stands as the stack's name: no stack has it, so moto answers with an error.
        asked["StackName"] = _stack_of(asked.pop("PhysicalResourceId"), self._stacks)
        body = urlencode(asked).encode()
        request.environ["wsgi.input"] = io.BytesIO(body)
        request.environ["CONTENT_LENGTH"] = str(len(body))


def _stack_of(physical_id: str, stacks: Mapping[str, Any]) -> str:
    for stack in stacks.values():
        if physical_id in {one.physical_resource_id for one in stack.stack_resources}:
            return str(stack.name)
    return physical_id


def _shown(stack: Stack) -> dict[str, Any]:
    """Return moto's stacks by their ids, with this one among them."""
    # The import loads all services that moto's stacks could have, and takes long.
    from moto.cloudformation.models import cloudformation_backends  # noqa: PLC0415 - takes long

    arn = f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack"
    # The attributes that moto's answers need. A stack of moto's own would deploy the template.
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
    stacks: dict[str, Any] = cloudformation_backends[stack.account][stack.region].stacks
    stacks[deployed.stack_id] = deployed
    return stacks
