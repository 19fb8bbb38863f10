"""One execution of the demo, watched through AWS's API and the journal."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from local.journal import Delivery

if TYPE_CHECKING:
    from boto3.resources.base import ServiceResource
    from botocore.client import BaseClient

    from local.demo.cases import Case, Flow
    from local.system import System


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a row.

    Attributes:
        status: the execution's status.
        record: the record's status.
        outcome: kind of the task's outcome; None until it is known.
        seconds: seconds from the start to the end or to now, by this machine's clock.
        capacities: the capacity of each attempt that has ended.
        operations: number of durable operations, the execution itself included.
        invocations: number of the durable function's invocations.
        deliveries: number of task events that the task-state function got.
        is_over: whether nothing more can happen.
    """

    status: str
    record: str | None
    outcome: str | None
    exit_code: int | None
    seconds: float
    capacities: tuple[str, ...]
    operations: int
    invocations: int
    deliveries: int
    is_over: bool


class Row:
    """One flow with one case.

    Attributes:
        flow, case: the flow and the case that run.
        execution_id: id of the execution that was started.
    """

    def __init__(self, system: System, flow: Flow, case: Case) -> None:
        self._system = system
        self.flow, self.case = flow, case
        self._began, self._seconds, self._is_over = time.monotonic(), 0.0, False
        answer = self._lambda.invoke(
            FunctionName=system.stack.outputs[flow.output],
            InvocationType="Event",
            Payload=json.dumps({**case.payload, **flow.settings}),
        )
        self._arn: str = answer["DurableExecutionArn"]
        self.execution_id = self._arn.rpartition("/")[2]

    def report(self) -> Report:
        """Look at the execution, its history and its record."""
        execution = self._lambda.get_durable_execution(DurableExecutionArn=self._arn)
        record = self._record()
        end = self._end(execution, record)
        history = self._history()
        kinds = [event["EventType"] for event in history]
        if not self._is_over:
            self._seconds = time.monotonic() - self._began
            self._is_over = (
                execution["Status"] != "RUNNING" and bool(record) and "open" not in record
            )
        return Report(
            status=execution["Status"],
            record=record.get("status"),
            outcome=end.get("kind"),
            exit_code=None if end.get("exitCode") is None else int(end["exitCode"]),
            seconds=self._seconds,
            capacities=tuple(entry.get("capacity") for entry in record.get("attempts", ())),
            operations=len({event["Id"] for event in history if "Id" in event}),
            invocations=kinds.count("InvocationCompleted"),
            deliveries=self._deliveries(),
            is_over=self._is_over,
        )

    def is_as_expected(self, report: Report) -> bool:
        """Whether the row ended as its case says."""
        succeeds = self.case.exit_code == 0
        return (
            report.is_over
            and report.status == ("SUCCEEDED" if succeeds or not self.flow.waits else "FAILED")
            and report.record == ("COMPLETED" if succeeds else "FAILED")
            and (report.outcome, report.exit_code) == (self.case.outcome, self.case.exit_code)
            and report.capacities == self.case.capacities
        )

    @cached_property
    def _lambda(self) -> BaseClient:
        return self._system.account.client("lambda")

    @cached_property
    def _table(self) -> ServiceResource:
        name = self._system.stack.outputs["CallbackTableName"]
        return self._system.account.table(name)

    def _record(self) -> dict[str, Any]:
        answer = self._table.get_item(Key={"executionId": self.execution_id})
        return dict(answer.get("Item", {}))

    def _history(self) -> list[dict[str, Any]]:
        answer = self._lambda.get_durable_execution_history(
            DurableExecutionArn=self._arn, MaxItems=1000
        )
        return list(answer["Events"])

    def _end(self, execution: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
        """The outcome that the execution reports or, if it does not wait, the record."""
        if not self.flow.waits:
            return dict(record.get("lastOutcome", {}))
        if execution["Status"] == "SUCCEEDED":
            result = json.loads(execution["Result"])
            return {**result, "kind": result["outcome"]}
        return dict(json.loads(execution.get("Error", {}).get("ErrorData", "{}")))

    def _deliveries(self) -> int:
        events = (delivery.event for delivery in self._system.journal.entries(Delivery))
        return sum(
            f"/{self.execution_id}/" in event["detail"].get("startedBy", "") for event in events
        )
