"""What holds at the end of every execution, whatever went wrong on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.faults.scenario import Scenario


@dataclass(frozen=True, slots=True)
class End:
    """What is left when nothing more happens.

    Attributes:
        execution: as GetDurableExecution shows it.
        record: the record's attributes, none if there is none.
        tasks: of the execution, as DescribeTasks shows them, oldest first.
    """

    execution: Mapping[str, Any]
    record: Mapping[str, Any]
    tasks: list[Mapping[str, Any]]

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the execution."""
        return (
            self.execution["Status"] != "RUNNING"
            and "open" not in self.record
            and all(task["lastStatus"] == "STOPPED" for task in self.tasks)
        )


def violations(scenario: Scenario, end: End) -> list[str]:
    """Return what must not be, in words."""
    return [*_tasks(end), *_record(scenario, end), *_execution(scenario, end)]


def _tasks(end: End) -> Iterator[str]:
    attempts = [task["startedBy"] for task in end.tasks]
    for attempt in sorted({a for a in attempts if attempts.count(a) > 1}):
        yield f"{attempts.count(attempt)} tasks of {attempt}"
    for task in end.tasks:
        if task["lastStatus"] != "STOPPED":
            yield f"a task is {task['lastStatus']}"
    spans = sorted((t["createdAt"], t.get("executionStoppedAt", t["createdAt"])) for t in end.tasks)
    for (_, stopped), (created, _) in pairwise(spans):
        if created < stopped:
            yield "two tasks at a time"


def _record(scenario: Scenario, end: End) -> Iterator[str]:
    record = end.record
    if not record:
        if end.tasks:
            yield "a task without a record"
        return
    if "open" in record:
        yield f"the record is open ({record['status']})"
        return
    if record["status"] not in {"COMPLETED", "FAILED"}:
        yield f"the record is closed {record['status']}"
    if "expiresAt" not in record:
        yield "the closed record does not expire"
    if record["status"] == "FAILED" and not record.get("error", {}).get("kind"):
        yield "the failed record does not say why"
    last = _last_exit(end)
    if record["status"] == "COMPLETED" and last != 0 and scenario.flow != "Callback":
        yield f"the record is COMPLETED, the last task ended with {last}"
    if record["status"] == "COMPLETED" and scenario.flow != "Sync" and "result" not in record:
        yield "the worker's result is lost"


def _execution(scenario: Scenario, end: End) -> Iterator[str]:
    status = end.execution["Status"]
    if status == "RUNNING":
        yield "the execution is RUNNING"
    if scenario.flow == "Callback":
        return
    completed = end.record.get("status") == "COMPLETED"
    # Work may be done and recorded just as its execution is stopped.
    fits = (status == "SUCCEEDED") == completed or status == "STOPPED"
    if end.record and not fits:
        yield f"the execution is {status}, the record {end.record.get('status')}"
    if status == "SUCCEEDED":
        yield from _result(scenario, end)
    if status == "FAILED":
        yield from _error(end)


def _result(scenario: Scenario, end: End) -> Iterator[str]:
    result = json.loads(end.execution["Result"])
    if result["taskArn"] != end.tasks[-1]["taskArn"]:
        yield "the result is not the last task's"
    if scenario.flow == "EventBridge" and result["result"] is None:
        yield "the execution has no result"


def _error(end: End) -> Iterator[str]:
    data = json.loads(end.execution["Error"].get("ErrorData") or "{}")
    if not data.get("kind"):
        yield f"the error has no kind: {end.execution['Error']}"
    if data.get("kind") == "ApplicationFailed" and data["exitCode"] != _last_exit(end):
        yield f"the error says exit code {data['exitCode']}, the task {_last_exit(end)}"


def _last_exit(end: End) -> int | None:
    if not end.tasks:
        return None
    code = end.tasks[-1]["containers"][0].get("exitCode")
    return None if code is None else int(code)
