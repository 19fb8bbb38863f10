"""What a user of the stack does: start executions, wait for their end, look at their traces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from local.journal import Line
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.system import System

Flow = Literal["Sync", "Callback", "EventBridge"]


@dataclass(frozen=True)
class User:
    """Uses boto3 against the system's endpoint, and its journal to wait."""

    system: System

    @cached_property
    def durable(self) -> Any:
        """A client of Lambda."""
        return self.system.account.client("lambda")

    @cached_property
    def ecs(self) -> Any:
        """A client of ECS."""
        return self.system.account.client("ecs")

    def function(self, flow: Flow) -> str:
        """Return the qualified ARN of a flow's function."""
        return self.system.stack.outputs[f"{flow}LambdaFunctionArn"]

    def start(self, flow: Flow, name: str | None = None, **payload: Any) -> str:
        """Start an execution and return its ARN."""
        named = {"DurableExecutionName": name} if name else {}
        if flow == "Sync":
            # The growing interval is meant for minutes and hours.
            payload = {"pollSeconds": 1, **payload}
        answer = self.durable.invoke(
            FunctionName=self.function(flow),
            InvocationType="Event",
            Payload=json.dumps(payload),
            **named,
        )
        return str(answer["DurableExecutionArn"])

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds; return what it gave."""
        return until(condition, self.system.journal.wait_for)

    def ended(self, arn: str) -> dict[str, Any]:
        """Wait for an execution's end and return it as GetDurableExecution shows it."""

        def end() -> dict[str, Any] | None:
            execution = self.execution(arn)
            return execution if execution["Status"] != "RUNNING" else None

        return dict(self.wait(end))

    def execution(self, arn: str) -> dict[str, Any]:
        """Return an execution as GetDurableExecution shows it."""
        return dict(self.durable.get_durable_execution(DurableExecutionArn=arn))

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

    def history(self, arn: str) -> list[tuple[str, str | None]]:
        """Return the types and names of an execution's events in order."""
        answer = self.durable.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=1000)
        return [(event["EventType"], event.get("Name")) for event in answer["Events"]]

    def operations(self, arn: str) -> set[str]:
        """Return the ids of an execution's durable operations, the execution itself included."""
        answer = self.durable.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=1000)
        return {event["Id"] for event in answer["Events"] if "Id" in event}

    def record(self, arn: str) -> dict[str, Any]:
        """Return an execution's record; empty if there is none."""
        table = self.system.account.table(self.system.stack.outputs["CallbackTableName"])
        answer = table.get_item(Key={"executionId": arn.rpartition("/")[2]})
        return dict(answer.get("Item", {}))

    def closed(self, arn: str) -> dict[str, Any]:
        """Wait for an execution's record to be closed, and return it."""

        def closed() -> dict[str, Any] | None:
            record = self.record(arn)
            return record if record and "open" not in record else None

        return dict(self.wait(closed))

    def tasks(self, arn: str, attempt: int = 1) -> list[str]:
        """Return the ARNs of the tasks that an attempt of an execution started."""
        started_by = f"{self.system.stack.name}/{arn.rpartition('/')[2]}/{attempt}"
        found = []
        for status in ("RUNNING", "STOPPED"):
            answer = self.ecs.list_tasks(
                cluster=self.system.stack.outputs["ECSClusterName"],
                startedBy=started_by,
                desiredStatus=status,
            )
            found += answer["taskArns"]
        return found

    def worker(self, arn: str) -> int:
        """Wait until an execution's worker works, and return its process's id."""
        return int(self.wait(lambda: self._pid(arn)))

    def lines(self, source: str) -> list[dict[str, Any]]:
        """Return the log lines of a function or a task."""
        lines = self.system.journal.entries(Line)
        return [json.loads(line.text) for line in lines if line.source == source]

    def _pid(self, arn: str) -> int | None:
        lines = (line for task in self.tasks(arn) for line in self.lines(task))
        return next((line["pid"] for line in lines if "pid" in line), None)
