"""Somebody who uses the stack of `make up` with the AWS SDK, to prepare what commands look at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.waiting import until

if TYPE_CHECKING:
    from tests.e2e.up import Up

STACK = "lambda-ecs-durable-demo"


class AwsUser:
    """Knows what `make up` exports, and the stack's names.

    Attributes:
        up: the system that is used.
    """

    def __init__(self, up: Up) -> None:
        self.up = up
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        if service not in self._clients:
            self._clients[service] = self.up.client(service)
        return self._clients[service]

    def start(self, flow: str, **payload: Any) -> str:
        """Start an execution and return its ARN."""
        answer = self.client("lambda").invoke(
            FunctionName=f"{STACK}-{flow}-function:live",
            InvocationType="Event",
            Payload=json.dumps(payload),
        )
        return str(answer["DurableExecutionArn"])

    def execution(self, arn: str) -> dict[str, Any]:
        """Return an execution as GetDurableExecution shows it."""
        return dict(self.client("lambda").get_durable_execution(DurableExecutionArn=arn))

    def ended(self, arn: str) -> dict[str, Any]:
        """Wait for an execution's end."""
        until(lambda: self.execution(arn)["Status"] != "RUNNING")
        return self.execution(arn)

    def callback(self, arn: str) -> str:
        """Wait until an execution waits for a callback, and return the callback's id."""

        def suspended() -> list[str]:
            history = self.client("lambda").get_durable_execution_history(DurableExecutionArn=arn)
            kinds = {event["EventType"]: event for event in history["Events"]}
            if "InvocationCompleted" not in kinds:
                return []
            return [kinds["CallbackStarted"]["CallbackStartedDetails"]["CallbackId"]]

        return until(suspended)[0]

    def task(self, arn: str) -> str:
        """Wait until an execution has started its task, and return the task's ARN."""
        asked = {"cluster": f"{STACK}-cluster", "startedBy": f"{STACK}/{id_of(arn)}/1"}
        return str(until(lambda: self.client("ecs").list_tasks(**asked)["taskArns"])[0])

    def record(self, arn: str) -> dict[str, Any]:
        """Wait until an execution's record is closed, and return it as DynamoDB does."""
        asked = {
            "TableName": f"{STACK}-callbacks",
            "Key": {"executionId": {"S": id_of(arn)}},
        }

        def closed() -> dict[str, Any] | None:
            item = self.client("dynamodb").get_item(**asked).get("Item", {"open": {}})
            return None if "open" in item else dict(item)

        return until(closed) or {}


def id_of(arn: str) -> str:
    """Return an execution's id: the last part of its ARN."""
    return arn.rpartition("/")[2]
