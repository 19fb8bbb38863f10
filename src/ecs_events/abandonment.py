"""The leftovers of an execution that ended badly: a task to stop and a record to close."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters import clock, ecs
from adapters.errors import AwsRefusedError
from core.correlation import Correlation
from core.done import Done
from core.outcome import Cancelled, classify, so_far, stop_reason
from core.verdict import verdict
from core.write import Write
from ecs_events.closing import Closing, NotSettledError, reported_failure

if TYPE_CHECKING:
    from adapters.records import Records
    from adapters.settings import Settings
    from core.outcome import LearnedBy, Outcome
    from core.record import Record


@dataclass(frozen=True, slots=True)
class Abandonment:
    """The end of an execution, and what it leaves behind: its task and its record.

    Attributes:
        record: the open record, read consistently after that end: an execution that fails by
            itself closes its record before its end, if it can.
        status: how the execution ended, one of `core.verdict.ENDED_BADLY`.
        learned_by: who learned of that end.
    """

    settings: Settings
    records: Records
    record: Record
    status: str
    learned_by: LearnedBy

    def settle(self) -> Done:
        """Stop the task, then close the record; repeatable at any point.

        Returns:
            The word for what was done.

        Raises:
            NotSettledError: the record changed meanwhile, for example because the task started.
            AwsBusyError, AwsRefusedError: the task could not be stopped, or the record not closed.
        """
        cancelled = Cancelled(detail=f"The execution is {self.status}")
        outcome = self._stop(cancelled).learned(self.learned_by, clock.now())
        reported = reported_failure(self.record) if self.status == "FAILED" else None
        judged = verdict(self.record, outcome, self.status, reported)
        closing = Closing(self.settings, self.records, self.record)
        if closing.close(judged) is not Write.WRITTEN:
            return self._overtaken()
        return Done.abandoned(self.status)

    def _overtaken(self) -> Done:
        fresh = self.records.get(self.record.execution_id)
        if fresh and fresh.is_open and fresh.execution_arn == self.record.execution_arn:
            raise NotSettledError("The record changed while its execution's end was being written.")
        return Done.MOVED_ON

    def _stop(self, cancelled: Cancelled) -> Outcome:
        cluster, job = self.settings.cluster_arn, self.record.job
        task_arn = self.record.task_arn or ecs.find_task(cluster, job.family, self._started_by)
        if task_arn is None:
            return cancelled
        task = ecs.describe_task(cluster, task_arn)
        stored = self.record.end_of(task_arn)
        ended = classify(task, job.container) if task else stored
        if ended is None:
            try:
                ecs.stop_task(cluster, task_arn, stop_reason(cancelled))
            except AwsRefusedError:
                # ECS cannot stop a task that it has forgotten, and does not need to.
                if task is not None:
                    raise
            return so_far(cancelled, task) if task else replace(cancelled, task_arn=task_arn)
        return ended

    @property
    def _started_by(self) -> str:
        record = self.record
        return Correlation(self.settings.stack_name, record.execution_id, record.attempt).started_by
