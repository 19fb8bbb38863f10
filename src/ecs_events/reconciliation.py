"""What events have missed: one look at everything that is open, and at everything that runs."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from adapters import callbacks, clock, ecs
from adapters.errors import AwsBusyError, AwsRefusedError
from adapters.telemetry import logger
from core.correlation import Correlation
from core.outcome import Cancelled, Missing, Succeeded, TimedOut, classify, stop_reason
from core.record import Flow, Standing, Status
from ecs_events.abandonment import ENDED_BADLY, Abandonment
from ecs_events.completion import REPORTED_BEFORE, Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from adapters.records import Records
    from adapters.settings import Settings
    from core.record import Record

# DescribeTasks takes as many.
_BATCH = 100
# Longer than an event needs on its way, retries of a throttle included: what is younger is left
# to the events and to the executions' own timeouts.
GRACE = timedelta(minutes=2)
# ECS may not know a task for minutes after RunTask.
_YOUNG = timedelta(minutes=10)
# Seconds that have to be left: for a batch that is throttled, for all orphans, for one of them.
_FOR_A_BATCH, _FOR_ORPHANS, _FOR_ONE = 60, 30, 10
# DescribeTasks and ListTasks share 20 calls a second with everybody in the account.
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One run.

    Attributes:
        seconds_left: until the run has to be over; what is not done by then waits for the next one.
        done: how often what was done, by a few words for it.
    """

    settings: Settings
    records: Records
    seconds_left: Callable[[], float]
    done: Counter[str] = field(default_factory=Counter)
    _unsettled: set[str] = field(default_factory=set)

    def run(self) -> Counter[str]:
        """Repair what can be repaired, and return what was.

        Raises:
            AwsBusyError, AwsRefusedError: a list could not be read; the next run starts afresh.
        """
        for batch in _batches(self._open()):
            if self.seconds_left() <= _FOR_A_BATCH + _FOR_ORPHANS:
                self.done["left for the next run"] += 1
                break
            self._reconcile(batch)
            time.sleep(_PAUSE_SECONDS)
        self._stop_orphans()
        return self.done

    def _open(self) -> list[str]:
        """Return the open records in any order: none is always last where time is short."""
        execution_ids = list(self.records.open())
        random.shuffle(execution_ids)
        return execution_ids

    def _reconcile(self, execution_ids: list[str]) -> None:
        found = [record for record in map(self._read, execution_ids) if record and record.is_open]
        tasks = self._tasks([record for record in found if record.task_arn])
        for record in (record for record in found if record.execution_id not in self._unsettled):
            with self._settling(record.execution_id):
                self.done[self._repair(record, tasks.get(record.task_arn or ""))] += 1

    def _tasks(self, records: list[Record]) -> dict[str, Mapping[str, Any]]:
        cluster, known = self.settings.cluster_arn, [record.task_arn or "" for record in records]
        try:
            return ecs.describe_tasks(cluster, known)
        except AwsBusyError as error:
            # Those of other batches, and orphans, are not to wait for these.
            for record in records:
                self._leave(record.execution_id, error)
            return {}
        except AwsRefusedError:
            # One ARN that is none has ECS refuse all of them.
            tasks: dict[str, Mapping[str, Any]] = {}
            for record in records:
                with self._settling(record.execution_id):
                    tasks |= ecs.describe_tasks(cluster, [record.task_arn or ""])
            return tasks

    def _read(self, execution_id: str) -> Record | None:
        with self._settling(execution_id):
            return self.records.get(execution_id)
        return None

    @contextmanager
    def _settling(self, execution_id: str) -> Iterator[None]:
        """Keep what cannot be settled for the next run; it is no reason to leave others waiting."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - of a record that was spoilt by hand, any
            self._leave(execution_id, error)

    def _leave(self, execution_id: str, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        logger.warning("Not settled", extra={"executionId": execution_id, "reason": reason})
        self.done["not settled"] += 1
        self._unsettled.add(execution_id)

    def _repair(self, record: Record, task: Mapping[str, Any] | None) -> str:
        if task:
            return self._known(record, task)
        if record.task_arn:
            return self._unknown(record)
        return self._without_task(record)

    def _known(self, record: Record, task: Mapping[str, Any]) -> str:
        """The task is known to ECS: ended, overdue, left behind, or just running."""
        outcome = classify(task, self.settings.container_name)
        if outcome is None:
            if record.missing_since:
                self.records.missed(record, is_missing=False)
            return self._running(record)
        if _age(outcome.stopped_at or record.updated_at) < GRACE:
            return "ended just now"
        # Read again now that the end is known: the worker may have written since the first look.
        fresh = self.records.get(record.execution_id)
        if fresh is None or fresh.standing(record.attempt, task["taskArn"]) is not Standing.CURRENT:
            return "record moved on"
        done = Completion(self.settings, self.records, fresh, outcome).complete()
        return self._still_open(fresh) if done == REPORTED_BEFORE else done

    def _still_open(self, record: Record) -> str:
        """The record is open after a report: its execution closes it, unless that is over."""
        status = callbacks.execution_status(record.execution_arn)
        if status in ENDED_BADLY:
            return self._abandon(record, str(status))
        return self._close_succeeded(record) if status == "SUCCEEDED" else REPORTED_BEFORE

    def _running(self, record: Record) -> str:
        status = callbacks.execution_status(record.execution_arn)
        if status in ENDED_BADLY:
            return self._abandon(record, str(status))
        if _age(record.deadline) < GRACE:
            return "running"
        reason = stop_reason(TimedOut(detail=f"The deadline was {record.deadline}"))
        ecs.stop_task(self.settings.cluster_arn, record.task_arn or "", reason)
        return "stopped: overdue"

    def _unknown(self, record: Record) -> str:
        """ECS does not know the task: too young, forgotten since its end, or gone without one."""
        status = callbacks.execution_status(record.execution_arn)
        if status in ENDED_BADLY:
            return self._abandon(record, str(status))
        if status == "SUCCEEDED" and record.flow is not Flow.DYNAMODB:
            return self._close_succeeded(record)
        return self._gone(record)

    def _gone(self, record: Record) -> str:
        """Nobody will tell of the task any more: sure after two looks, and some minutes between."""
        if record.missing_since is None:
            if _age(record.updated_at) < _YOUNG:
                return "young"
            self.records.missed(record, is_missing=True)
            return "missing: first look"
        if _age(record.missing_since) < GRACE:
            return "missing: first look"
        outcome = record.end_of(record.task_arn) or Missing(task_arn=record.task_arn)
        return Completion(self.settings, self.records, record, outcome).complete()

    def _close_succeeded(self, record: Record) -> str:
        """The answer came through, and whoever gave it died before writing that down."""
        invented = Succeeded(task_arn=record.task_arn, exit_code=0)
        outcome = record.end_of(record.task_arn) or invented
        # A handler of the user's own may succeed although its task has failed.
        status = Status.COMPLETED if outcome.succeeded else Status.FAILED
        self.records.close(record, status, outcome)
        return "closed: execution succeeded"

    def _without_task(self, record: Record) -> str:
        """RunTask was never answered, or is about to be called."""
        status = callbacks.execution_status(record.execution_arn)
        if status in ENDED_BADLY:
            return self._abandon(record, str(status))
        if record.status is Status.BACKOFF or _age(record.updated_at) < GRACE:
            return "about to start"
        name = Correlation(self.settings.stack_name, record.execution_id, record.attempt)
        time.sleep(_PAUSE_SECONDS)
        cluster, family = self.settings.cluster_arn, self.settings.task_family
        task_arn = ecs.find_task(cluster, family, name.started_by)
        if task_arn is None:
            # In this flow an execution succeeds when its task has started: no launch will follow.
            is_over = record.flow is Flow.DYNAMODB and status == "SUCCEEDED"
            return self._gone(record) if is_over else "no task"
        self.records.started(record, task_arn)
        return "adopted"

    def _abandon(self, record: Record, status: str) -> str:
        return Abandonment(self.settings, self.records, record, status).settle()

    def _stop_orphans(self) -> None:
        """Stop what runs although its record is closed, or speaks of a later attempt."""
        unsettled = frozenset(self._unsettled)
        for task in ecs.running_tasks(self.settings.cluster_arn, self.settings.task_family):
            if self.seconds_left() <= _FOR_ONE:
                self.done["left for the next run"] += 1
                return
            name = Correlation.parse(task.get("startedBy"))
            if (
                name
                and name.stack == self.settings.stack_name
                and name.execution_id not in unsettled
            ):
                with self._settling(name.execution_id):
                    self._stop_orphan(task["taskArn"], name)

    def _stop_orphan(self, task_arn: str, name: Correlation) -> None:
        record = self.records.get(name.execution_id)
        if record is None or record.standing(name.attempt, task_arn) is Standing.CURRENT:
            return
        reason = stop_reason(Cancelled(detail="Nobody waits for this task any more"))
        ecs.stop_task(self.settings.cluster_arn, task_arn, reason)
        self.done["stopped: orphan"] += 1


def _batches(execution_ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(execution_ids)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _age(moment: str) -> timedelta:
    """How long ago an ISO 8601 moment was; negative for the future."""
    return clock.now() - datetime.fromisoformat(moment)
