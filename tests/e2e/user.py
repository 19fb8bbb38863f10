"""A user of the stack: starts executions, waits for their end, looks at their traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal

from boto3.dynamodb.types import TypeDeserializer

from local.demo.cases import FLOWS
from local.journal import Line
from local.stack.stack import PROJECT
from tests.waiting import look_again, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.system import System

Flow = Literal["polling", "dynamodb", "eventbridge"]
_OUTPUTS = {flow.name: flow.output for flow in FLOWS}


class AwsUser:
    """Knows AWS's APIs and what the stack tells of itself.

    Attributes:
        client: gives a client of a service.
        stack: the stack's name.
        outputs: the stack's.
        durable: a client of Lambda.
        ecs: a client of ECS.
    """

    def __init__(
        self,
        client: Callable[[str], Any],
        stack: str,
        outputs: Mapping[str, str],
        look: Callable[[Callable[[], Any], float], Any] = look_again,
    ) -> None:
        self.client, self.stack, self.outputs, self._look = client, stack, outputs, look
        self.durable, self.ecs = client("lambda"), client("ecs")

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds; return what it gave."""
        return until(condition, self._look)

    def function(self, flow: Flow) -> str:
        """Return the qualified ARN of a flow's function."""
        return self.outputs[_OUTPUTS[flow]]

    def start(self, flow: Flow, name: str | None = None, **payload: Any) -> str:
        """Start an execution and return its ARN."""
        named = {"DurableExecutionName": name} if name else {}
        if flow == "polling":
            # The growing interval is meant for minutes and hours.
            payload = {"pollSeconds": 1, **payload}
        return self.invoke(self.function(flow), payload, **named)

    def invoke(self, function: str, payload: Any, **more: str) -> str:
        """Start an execution of any durable function and return its ARN."""
        answer = self.durable.invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(payload), **more
        )
        return str(answer["DurableExecutionArn"])

    def ended(self, arn: str) -> dict[str, Any]:
        """Wait for an execution's end and return it as GetDurableExecution shows it."""
        self.wait(lambda: self.execution(arn)["Status"] != "RUNNING")
        return self.execution(arn)

    def execution(self, arn: str) -> dict[str, Any]:
        """Return an execution as GetDurableExecution shows it."""
        answer = self.durable.get_durable_execution(DurableExecutionArn=arn)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def result(self, arn: str) -> dict[str, Any]:
        """Wait for an execution to succeed and return its result."""
        execution = self.ended(arn)
        assert execution["Status"] == "SUCCEEDED", execution
        return dict(json.loads(execution["Result"]))

    def error(self, arn: str) -> dict[str, Any]:
        """Wait for an execution to fail and return its error's data."""
        execution = self.ended(arn)
        assert execution["Status"] == "FAILED", execution
        return dict(json.loads(execution["Error"]["ErrorData"]))

    def history(self, arn: str) -> list[dict[str, Any]]:
        """Return the events of an execution in order."""
        answer = self.durable.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=1000)
        return list(answer["Events"])

    def details(self, arn: str, kind: str) -> dict[str, Any]:
        """Wait for an event of a type in an execution's history, and return its details."""

        def found() -> dict[str, Any] | None:
            events = (event for event in self.history(arn) if event["EventType"] == kind)
            return next((event[f"{kind}Details"] for event in events), None)

        return dict(self.wait(found))

    def record(self, arn: str) -> dict[str, Any]:
        """Return an execution's record; empty if there is none."""
        table, key = self.outputs["CallbackTableName"], {"executionId": {"S": id_of(arn)}}
        item = self.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
        return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}

    def closed(self, arn: str) -> dict[str, Any]:
        """Wait for an execution's record to be closed, and return it."""

        def closed() -> dict[str, Any] | None:
            record = self.record(arn)
            return record if record and "open" not in record else None

        return dict(self.wait(closed))

    def tasks(self, arn: str, attempt: int = 1) -> list[str]:
        """Return the ARNs of the tasks that an attempt of an execution started."""
        asked = {
            "cluster": self.outputs["ECSClusterName"],
            "startedBy": f"{self.stack}/{id_of(arn)}/{attempt}",
        }
        answers = [self.ecs.list_tasks(**asked, desiredStatus=s) for s in ("RUNNING", "STOPPED")]
        return [task for answer in answers for task in answer["taskArns"]]

    def task(self, arn: str, status: str | None = None) -> dict[str, Any]:
        """Return a task as DescribeTasks shows it, once it has a status if one is named."""
        asked = {"cluster": self.outputs["ECSClusterName"], "tasks": [arn]}

        def reached() -> dict[str, Any] | None:
            [task] = self.ecs.describe_tasks(**asked)["tasks"]
            return task if status in (None, task["lastStatus"]) else None

        return dict(self.wait(reached))

    def stop(self, arn: str, reason: str = "enough") -> None:
        """Stop a task."""
        self.ecs.stop_task(cluster=self.outputs["ECSClusterName"], task=arn, reason=reason)


class User(AwsUser):
    """Has the system in her own process, and its journal to wait.

    Attributes:
        system: that is used.
    """

    def __init__(self, system: System) -> None:
        stack, wait_for = system.stack, system.journal.wait_for
        super().__init__(system.account.client, stack.name, stack.outputs, wait_for)
        self.system = system

    def worker(self, arn: str) -> int:
        """Wait until an execution's worker works, and return its process's id."""
        return int(self.wait(lambda: self._pid(arn)))

    def lines(self, source: str) -> list[dict[str, Any]]:
        """Return the log lines of a function or a task."""
        lines = self.system.journal.entries(Line)
        return [json.loads(line.text) for line in lines if line.source == source]

    def redrive(self) -> subprocess.CompletedProcess[str]:
        """Deliver again what is in the stack's queues, as `make redrive` does."""
        return subprocess.run(
            [sys.executable, "-m", "scripts.redrive", self.stack],
            cwd=PROJECT,
            env=os.environ | self.system.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def _pid(self, arn: str) -> int | None:
        lines = (line for task in self.tasks(arn) for line in self.lines(task))
        return next((line["pid"] for line in lines if "pid" in line), None)


def id_of(arn: str) -> str:
    """Return an execution's id: the last part of its ARN."""
    return arn.rpartition("/")[2]
