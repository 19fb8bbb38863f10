"""Functions that invoke and are invoked, for tests to add to a copy of the template."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import boto3
from aws_durable_execution_sdk_python import DurableContext, InvokeError, durable_execution
from aws_durable_execution_sdk_python.config import InvokeConfig
from aws_durable_execution_sdk_python.exceptions import DurableOperationError
from aws_durable_execution_sdk_python.serdes import PassThroughSerDes

from tests import template

if TYPE_CHECKING:
    from pathlib import Path

_DAY = 86400
# Execution timeouts that are no day; a plain function has none.
_TIMEOUTS: dict[str, int | None] = {"brief": 1, "short": 600, "plain": None}


@durable_execution
def parent(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """Invoke the function that the event names, and return its result or its error."""
    raw: InvokeConfig[Any, Any] = InvokeConfig(serdes_payload=PassThroughSerDes())
    try:
        result: Any = context.invoke(
            event["function"], event["payload"], "invoked", raw if "raw" in event else None
        )
    except InvokeError as error:
        return {"type": error.error_type, "message": error.message, "data": error.data}
    return {"result": result}


@durable_execution
def batch(event: dict[str, Any], context: DurableContext) -> list[Any]:
    """Invoke a function once for each number below the event's count, all at once."""

    def invoke(context: DurableContext, number: int, *_: object) -> Any:
        return context.invoke(event["function"], number)

    return list(context.map(range(event["count"]), invoke).get_results())


@durable_execution
def caller(event: Any, context: DurableContext) -> Any:
    """Call a durable function in a step, which waits for its end."""

    def call(_: object) -> Any:
        answer = boto3.client("lambda").invoke(FunctionName="short:live", Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    return context.step(call)


@durable_execution
def child(event: Any, context: DurableContext) -> Any:
    """Return the event, or an answer that it asks for, or fail as it asks for."""
    wishes = event if isinstance(event, dict) else {}
    if "asks" in wishes:
        return context.create_callback(wishes["asks"]).result()
    if "fails" in wishes:
        raise DurableOperationError(wishes["fails"], data=json.dumps(wishes))
    return event


brief = short = child


def plain(event: dict[str, Any], _: object) -> Any:
    """Return the event, as many lists in one another as it asks for, or fail as it asks for."""
    if "fails" in event:
        raise ValueError(event["fails"])
    if "levels" in event:
        return json.loads("[" * event["levels"] + "]" * event["levels"])
    return event


def written(folder: Path) -> Path:
    """Write a copy of the template that has these functions, too; return its path."""
    own = template.source()
    own["Resources"]["ChainingRole"] = _role(own["Resources"]["EventBridgeRole"])
    for name in ("parent", "batch", "child", "caller", *_TIMEOUTS):
        timeout = _TIMEOUTS.get(name, _DAY)
        function = copy.deepcopy(own["Resources"]["EventBridgeLambdaFunction"])
        function["Properties"] |= {
            "FunctionName": name,
            "Handler": f"{__name__}.{name}",
            "CodeUri": "code",
            "Role": {"Fn::GetAtt": ["ChainingRole", "Arn"]},
            "DurableConfig": {"ExecutionTimeout": timeout, "RetentionPeriodInDays": 3},
        }
        if timeout is None:
            del function["Properties"]["DurableConfig"], function["Properties"]["DeadLetterQueue"]
        own["Resources"][f"{name.capitalize()}Function"] = function
    (folder / "code").symlink_to(template.ROOT)
    path = folder / "template.yaml"
    path.write_text(json.dumps(own))
    return path


def _role(flow: dict[str, Any]) -> dict[str, Any]:
    """Return a flow's role, to which every function of the stack is its own."""
    role = copy.deepcopy(flow)
    statement = {
        "Effect": "Allow",
        "Action": [
            "lambda:CheckpointDurableExecution",
            "lambda:GetDurableExecutionState",
            "lambda:InvokeFunction",
        ],
        "Resource": {
            "Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
        },
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    role["Properties"]["Policies"].append({"PolicyName": "chaining", "PolicyDocument": document})
    return role
