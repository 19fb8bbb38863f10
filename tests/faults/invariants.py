"""Invariants: they hold at the end of every execution, whatever went wrong on the way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core.capacity import LaunchCapacity
from tests.faults.scenario import HOUR
from tests.faults.truth import Truth, expected, truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from local.ecs.task import Task
    from tests.e2e.user import AwsUser
    from tests.faults.scenario import Scenario

# The reconciler of all scenarios dies for any of them. Fewer than an attempt has without a limit.
_MANY_RUNS = 6 * HOUR


@dataclass(frozen=True, slots=True)
class End:
    """The state that is left when nothing more happens.

    Attributes:
        execution: as GetDurableExecution shows it.
        record: the record's attributes, none if there is none.
        tasks: of the execution, as DescribeTasks shows them, oldest first.
        callbacks: types of the events of its history that are about callbacks.
    """

    execution: Mapping[str, Any]
    record: Mapping[str, Any]
    tasks: list[Mapping[str, Any]]
    callbacks: list[str]

    @classmethod
    def of(cls, user: AwsUser, arn: str, tasks: Iterable[Task]) -> End:
        """Return what is left of an execution, which has started these tasks."""
        kinds = (event["EventType"] for event in user.history(arn))
        callbacks = [kind for kind in kinds if kind.startswith("Callback")]
        shown = [task.describe() for task in tasks]
        return cls(user.execution(arn), user.record(arn), [*shown], callbacks)

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the execution."""
        return (
            self.execution["Status"] != "RUNNING"
            and "open" not in self.record
            and all(task["lastStatus"] == "STOPPED" for task in self.tasks)
        )


def violations(scenario: Scenario, end: End, *, is_calm: bool = True) -> list[str]:
    """Return what must not be, in words.

    Args:
        scenario: what was to happen.
        end: what came of it.
        is_calm: whether nothing but the scenario's own happened, so that its end is known.
    """
    found = [*_tasks(end), *_record(end)]
    if found or end.execution["Status"] == "RUNNING":
        return found or ["the execution is RUNNING"]
    is_delayed = scenario.throttled or any(p.role == "orchestrator" for p in scenario.points)
    if is_delayed and _is_unheard(end):
        return [*_callbacks(scenario, end)]
    if scenario.throttled and _is_never_launched(end):
        return []
    if scenario.throttled and scenario.may_time_out and _is_overdue(end):
        return [*_callbacks(scenario, end)]
    if is_calm:
        found += [*_as_expected(scenario, end), *_as_stopped(scenario, end)]
        found += _in_time(scenario, end)
    found += [*_record_tells(scenario, end), *_execution_tells(scenario, end)]
    return [*found, *_callbacks(scenario, end)]


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
    for task in end.tasks[:-1]:
        if task["lastStatus"] == "STOPPED" and truth(task).kind == "Succeeded":
            yield "a second task after finished work"


def _in_time(scenario: Scenario, end: End) -> Iterator[str]:
    """A task ends in its time, or hours later after many deaths of the function that ends it."""
    if any(point.when == "pause" for point in scenario.points):
        return
    for task in end.tasks:
        took = task["stoppedAt"] - task["createdAt"]
        if took > scenario.seconds + _MANY_RUNS:
            yield f"a task has taken {took:.0f} s, not {scenario.seconds}"


def _record(end: End) -> Iterator[str]:
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
    yield from _attempts(end)
    yield from _own(end)


def _own(end: End) -> Iterator[str]:
    """The closed record's facts are those of its last attempt, and of the task that this had."""
    record = end.record
    place = f"/results/{record.get('executionId')}/{record['attempt']}-"
    if place not in record.get("resultUri", place):
        yield f"the result at {record['resultUri']} is another attempt's"
    named = [task for task in end.tasks if task["taskArn"] == record.get("taskArn")]
    for task in named if "capacity" in record else ():
        ran_on = task.get("capacityProviderName") or task["launchType"]
        if LaunchCapacity(record["capacity"]).provider != ran_on:
            yield f"a task ran on {ran_on}, its launch was for {record['capacity']}"


def _attempts(end: End) -> Iterator[str]:
    """The closed record keeps each attempt that has begun, once and in order, with its own task."""
    record, entries = end.record, end.record.get("attempts", [])
    begun = int(record["attempt"]) - (record["launch"] == 0)
    if [entry["attempt"] for entry in entries] != [*range(1, begun + 1)]:
        yield f"{begun} attempts have ended, the record keeps {entries}"
    attempts = {task["taskArn"]: task["startedBy"].rpartition("/")[2] for task in end.tasks}
    for entry in entries:
        own = str(entry["attempt"])
        if attempts.get(entry.get("taskArn"), own) != own:
            yield f"the task of {entry} is another attempt's"


def _as_expected(scenario: Scenario, end: End) -> Iterator[str]:
    """The end is known if neither the execution nor a worker was ended before its time."""
    if any(point.stops or point.role == "worker" for point in scenario.points):
        return
    actual, wanted = _truth(end), expected(scenario)
    if actual is None or actual.kind != wanted.kind:
        yield f"the last task ended as {actual}, not as {wanted}"
    attempts = 2 if scenario.is_tried_again else 1
    if len(end.tasks) != attempts:
        yield f"{len(end.tasks)} tasks, not {attempts}"
    has_worked = scenario.end == "never told as ended" and scenario.flow != "polling"
    # Where calls are refused, the launch may leave its task no time in which the result is taken.
    if not scenario.throttled and has_worked and not _has_result(end):
        yield "the result of work whose end nobody told is lost"


def _as_stopped(scenario: Scenario, end: End) -> Iterator[str]:
    """An execution is STOPPED only by a stop, and TIMED_OUT never."""
    is_stopped = any(point.stops for point in scenario.points)
    status = end.execution["Status"]
    if status == "TIMED_OUT" or (status == "STOPPED" and not is_stopped):
        yield f"the execution is {status}"


def _record_tells(scenario: Scenario, end: End) -> Iterator[str]:
    """The record says how the last task ended, or that the execution ended first."""
    actual = _truth(end)
    if actual is None or not end.record:
        return
    status, kind = end.record["status"], end.record.get("error", {}).get("kind")
    is_stopped = end.execution["Status"] == "STOPPED"
    # The DynamoDB flow's worker has the last word: it may be killed after it has written it.
    is_written = scenario.flow == "dynamodb" and _has_result(end)
    if status == "COMPLETED" and actual.kind != "Succeeded" and not is_written:
        yield f"the record is COMPLETED, the last task ended as {actual}"
    if status == "COMPLETED" and scenario.flow != "polling" and not _has_result(end):
        yield "the worker's result is lost"
    if status == "FAILED" and actual.kind == "Succeeded" and not is_stopped:
        yield "the record is FAILED, the last task succeeded"
    kinds = {actual.kind, *(["Cancelled"] if is_stopped else [])}
    is_workers = scenario.flow == "dynamodb" and kind == "ApplicationFailed"
    if status == "FAILED" and kind not in kinds and not is_workers:
        yield f"the record says {kind}, the last task ended as {actual}"


def _execution_tells(scenario: Scenario, end: End) -> Iterator[str]:
    """The execution ended as its last task did."""
    status, actual = end.execution["Status"], _truth(end)
    if scenario.flow == "dynamodb":
        if status == "FAILED" and actual is not None:
            yield "the execution is FAILED although its task was started"
        return
    if status == "SUCCEEDED":
        if actual is None or actual.kind != "Succeeded" or end.record["status"] != "COMPLETED":
            yield f"the execution is SUCCEEDED, its last task ended as {actual}"
        else:
            yield from _result(scenario, end)
    if status == "FAILED":
        yield from _error(scenario, actual, end)


def _callbacks(scenario: Scenario, end: End) -> Iterator[str]:
    """The callback of a task that has ended is answered."""
    if end.execution["Status"] == "STOPPED" or not end.tasks:
        return
    counts = Counter(end.callbacks)
    answered = counts["CallbackSucceeded"] + counts["CallbackFailed"]
    unanswered = counts["CallbackTimedOut"]
    if scenario.may_time_out:
        answered, unanswered = answered + unanswered, 0
    if unanswered or answered != counts["CallbackStarted"]:
        yield f"a callback was not answered: {dict(counts)}"


def _result(scenario: Scenario, end: End) -> Iterator[str]:
    result = json.loads(end.execution["Result"])
    if result["taskArn"] != end.tasks[-1]["taskArn"]:
        yield "the result is not the last task's"
    if scenario.flow == "eventbridge":
        yield from _handed_over(result, end, "the execution")
        if not _has_result(end):
            yield "the record has no result"


def _error(scenario: Scenario, actual: Truth | None, end: End) -> Iterator[str]:
    data = json.loads(end.execution["Error"].get("ErrorData") or "{}")
    if not data.get("kind"):
        yield f"the error has no kind: {end.execution['Error']}"
    elif actual is None:
        if data["kind"] not in {"FailedToStart", "Cancelled"}:
            yield f"the error says {data['kind']}, and there was no task"
    elif (data["kind"], data.get("exitCode")) != actual:
        yield f"the error says {data}, the last task ended as {actual}"
    elif data.get("taskArn") != end.tasks[-1]["taskArn"]:
        yield "the error is not the last task's"
    elif scenario.flow == "eventbridge" and data["kind"] == "TimedOut":
        yield from _handed_over(data, end, "the error")


def _handed_over(told: Mapping[str, Any], end: End, who: str) -> Iterator[str]:
    """Each report of a result agrees with the record, as a value or as an address."""
    held = json.loads(end.record.get("result", "null")), end.record.get("resultUri")
    if (said := (told.get("result"), told.get("resultUri"))) != held:
        yield f"{who}'s result is {said}, the record's {held}"


def _has_result(end: End) -> bool:
    return "result" in end.record or "resultUri" in end.record


def _is_unheard(end: End) -> bool:
    """Whether a start was stopped, and ECS's last word on it came too late for the execution."""
    if not end.tasks or end.tasks[-1]["stopCode"] != "UserInitiated":
        return False
    data = json.loads(end.execution.get("Error", {}).get("ErrorData") or "{}")
    return truth(end.tasks[-1]).kind == "FailedToStart" and data.get("kind") == "TimedOut"


def _is_overdue(end: End) -> bool:
    """Whether refusals kept the last task from its end until its attempt's time was over."""
    told = end.record.get("lastOutcome", {})
    is_late = told.get("learnedAt", "") >= end.record.get("deadline", "never")
    return told.get("kind") == "TimedOut" and is_late and _kind(end) == "TimedOut"


def _kind(end: End) -> str | None:
    last = _truth(end)
    return last.kind if last else None


def _is_never_launched(end: End) -> bool:
    """Whether a launch was refused until it was too late for it, and the record says so.

    Its attempt's time was over then; or ECS had forgotten its token, and nobody asks for a task
    that may have run.
    """
    error = end.record.get("error", {})
    # The words of `FailedToStart`, whose other details are refusals.
    is_overdue = "had passed before a task was started" in error.get("detail", "")
    is_told = error.get("kind") == "Missing" or (
        error.get("kind") == "FailedToStart" and is_overdue
    )
    return not end.tasks and is_told and end.execution["Status"] == "FAILED"


def _truth(end: End) -> Truth | None:
    return truth(end.tasks[-1]) if end.tasks else None
