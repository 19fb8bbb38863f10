"""The repair of missed events: one look at every open record and every running task."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from adapters import clock, ecs, executions, observation
from adapters.errors import AwsBusyError, AwsRefusedError
from core.correlation import Correlation
from core.done import Done
from core.heartbeat import silent
from core.outcome import Cancelled, LearnedBy, Missing, TimedOut, stop_reason
from core.record import UnknownFlowError, UnreadableRecordError
from core.repair import (
    Abandon,
    Adopt,
    CloseAfterSuccess,
    Complete,
    Leave,
    NoteMissing,
    StopOverdue,
    StopSilent,
    StopUnstarted,
    decide,
    is_orphan,
    once_reported,
    once_stopped,
)
from core.start import unstarted
from core.verdict import ENDED_BADLY
from core.visibility import EVENT_GRACE
from core.write import Write
from ecs_events.abandonment import Abandonment
from ecs_events.completion import Completion
from ecs_events.look import Look
from ecs_events.tally import FOR_ONE, pause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adapters.records import Records
    from adapters.settings import Settings
    from core.outcome import Outcome
    from core.record import Record
    from core.repair import Repair
    from ecs_events.tally import Tally

T = TypeVar("T")

# DescribeTasks' limit.
_BATCH = 100
# Seconds that all orphans together get at least.
_FOR_ORPHANS = FOR_ONE


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One run; its tally counts what it has done and what it had no time for."""

    settings: Settings
    records: Records
    tally: Tally

    def run(self) -> None:
        """Make every repair that can be made.

        Raises:
            AwsBusyError, AwsRefusedError: a list could not be read; the next run starts afresh.
        """
        for batch in self._in_time(_batches(self._open())):
            self._reconcile(batch)
            # The next batch is another DescribeTasks.
            pause()
        self._stop_orphans()

    def _in_time(self, items: Iterable[T]) -> Iterator[T]:
        return self.tally.in_time(items, FOR_ONE + _FOR_ORPHANS)

    def _open(self) -> list[str]:
        """Return the open records in random order, so that no record is last in every run."""
        execution_ids = list(self.records.open())
        random.shuffle(execution_ids)
        return execution_ids

    def _reconcile(self, execution_ids: list[str]) -> None:
        read = map(self._read, self._in_time(execution_ids))
        found = [record for record in read if record and record.is_open]
        for record in found:
            self.tally.gauges.see(record, clock.now())
        tasks = self._tasks([record for record in found if record.task_arn])
        to_settle = (record for record in found if record.execution_id not in self.tally.unsettled)
        for record in self._in_time(to_settle):
            with self.tally.settling(record.execution_id):
                done = self._repair(record, tasks.get(record.task_arn or ""))
                self.tally.done[done] += 1
                if done.is_in_place_of_event and not _is_in_time(done, record):
                    observation.event_missed(record)

    def _tasks(self, records: list[Record]) -> dict[str, Mapping[str, Any]]:
        cluster, known = self.settings.cluster_arn, [record.task_arn or "" for record in records]
        try:
            return ecs.describe_tasks(cluster, known)
        except AwsBusyError as error:
            # The records of other batches, and orphans, must not wait for these.
            for record in records:
                self.tally.leave(record.execution_id, error)
            return {}
        except AwsRefusedError:
            # One ARN that is none has ECS refuse all of them.
            tasks: dict[str, Mapping[str, Any]] = {}
            for record in self._in_time(records):
                with self.tally.settling(record.execution_id):
                    tasks |= ecs.describe_tasks(cluster, [record.task_arn or ""])
            return tasks

    def _read(self, execution_id: str) -> Record | None:
        with self.tally.settling(execution_id):
            try:
                return self.records.get(execution_id)
            except UnreadableRecordError as error:
                self._unread(error)
        return None

    def _unread(self, error: UnreadableRecordError) -> None:
        """Close a record that cannot be read, once its work is over."""
        arn = error.execution_arn
        status = "RUNNING" if arn is None else executions.status(arn)
        if self._is_over(error, status):
            missing = Missing(detail=str(error))
            write = self.records.close_unreadable(error, missing, is_wanted=status == "STOPPED")
            if write is Write.WRITTEN:
                self.tally.done[Done.CLOSED_UNREADABLE] += 1
        elif isinstance(error, UnknownFlowError):
            self.tally.done[Done.OTHER_VERSION] += 1
        else:
            raise error

    def _is_over(self, unreadable: UnreadableRecordError, status: str | None) -> bool:
        """Whether the work of a record that cannot be read is over, by its execution's status."""
        if status != "SUCCEEDED":
            return status is None or status in ENDED_BADLY
        # In a flow that does not wait, the task goes on after a success.
        name = Correlation(self.settings.stack_name, unreadable.execution_id, unreadable.attempt)
        cluster = self.settings.cluster_arn
        task_arn = ecs.find_task(cluster, None, name.started_by)
        task = ecs.describe_task(cluster, task_arn) if task_arn else None
        # Its job cannot be read either, so it is unknown whose exit code counts.
        return task is None or task["lastStatus"] == "STOPPED"

    def _repair(self, record: Record, task: Mapping[str, Any] | None) -> Done:
        look = Look(self.settings, self.records, record, task, clock.now())
        done = self._act(decide(look), look)
        if task and look.end is None and record.missing_since:
            self.records.found_again(record)
        return done

    def _act(self, repair: Repair, look: Look) -> Done:
        """Make a repair; return the word for what was done."""
        match repair:
            case Leave(why):
                done = why
            case Complete(record, outcome):
                done = self._complete(record, outcome, look)
            case CloseAfterSuccess(record, outcome):
                is_forgotten = look.execution is None
                why = Done.EXECUTION_FORGOTTEN if is_forgotten else Done.CLOSED_AFTER_SUCCESS
                done = self._completion(record, outcome).close_after_success(why)
            case Abandon(status):
                done = self._abandon(look.record, status)
            case StopOverdue():
                done = self._stop_overdue(look)
            case StopUnstarted(seconds):
                self._stop(look.record, unstarted(seconds))
                done = Done.STOPPED_UNSTARTED
            case StopSilent(seconds):
                self._stop(look.record, silent(seconds))
                done = Done.STOPPED_SILENT
            case NoteMissing():
                write = self.records.missed(look.record)
                done = Done.MISSING if write.holds else Done.MOVED_ON
            case Adopt(task_arn):
                write = self.records.started(look.record, task_arn)
                done = Done.ADOPTED if write is Write.WRITTEN else Done.MOVED_ON
            case _:
                assert_never(repair)
        return done

    def _complete(self, record: Record, outcome: Outcome, look: Look) -> Done:
        done = self._completion(record, outcome).complete()
        if done is Done.REPORTED_BEFORE and look.end:
            # Another function was faster, and has left the record open.
            return self._act(once_reported(look, record), look)
        return done

    def _completion(self, record: Record, outcome: Outcome) -> Completion:
        learned = outcome.learned(LearnedBy.RECONCILER, clock.now())
        return Completion(self.settings, self.records, record, learned)

    def _stop_overdue(self, look: Look) -> Done:
        record = look.record
        self._stop(record, TimedOut(detail=f"The deadline was {record.deadline}"))
        return self._act(once_stopped(look), look)

    def _stop(self, record: Record, ending: Outcome) -> None:
        ecs.stop_task(self.settings.cluster_arn, record.task_arn or "", stop_reason(ending))

    def _abandon(self, record: Record, status: str) -> Done:
        fresh = self.records.get(record.execution_id)
        if fresh is None or not fresh.is_open:
            return Done.MOVED_ON
        by = LearnedBy.RECONCILER
        return Abandonment(self.settings, self.records, fresh, status, by).settle()

    def _stop_orphans(self) -> None:
        """Stop tasks that run although their record is closed, or is at a later attempt."""
        unsettled = frozenset(self.tally.unsettled)
        running = ecs.running_tasks(self.settings.cluster_arn)
        for task in self.tally.in_time(running, FOR_ONE):
            name = Correlation.parse(task.get("startedBy"))
            if (
                name
                and name.stack == self.settings.stack_name
                and name.execution_id not in unsettled
            ):
                with self.tally.settling(name.execution_id):
                    self._stop_orphan(task, name)

    def _stop_orphan(self, task: Mapping[str, Any], name: Correlation) -> None:
        try:
            record = self.records.get(name.execution_id)
        except UnknownFlowError as error:
            if error.is_open:
                return
        except UnreadableRecordError as error:
            # A worker can make an item up, but not one that names an execution.
            if error.is_open or error.execution_arn is None:
                raise
        else:
            if not is_orphan(task, name, record):
                return
        reason = stop_reason(Cancelled(detail="Nobody waits for this task any more"))
        ecs.stop_task(self.settings.cluster_arn, task["taskArn"], reason)
        self.tally.done[Done.STOPPED_ORPHAN] += 1


def _is_in_time(done: Done, record: Record) -> bool:
    """Whether the event that should have made the repair may still be on its way."""
    if not done.is_abandonment:
        # The reconciler leaves a task's end to its event for as long as that may take.
        return False
    try:
        ended = executions.ended_at(record.execution_arn)
    except (AwsBusyError, AwsRefusedError):
        # The repair is made. One alarm too many is better than a lost event that nobody sees.
        return False
    return ended is not None and clock.now() - ended < EVENT_GRACE


def _batches(execution_ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(execution_ids)
    while batch := list(islice(rest, _BATCH)):
        yield batch
