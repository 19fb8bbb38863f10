"""One look at an open record, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapters import ecs, executions
from core.correlation import Correlation
from core.heartbeat import silent_from
from core.outcome import classify
from core.start import starts_by
from ecs_events.tally import pause

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adapters.records import Records
    from adapters.settings import Settings
    from core.outcome import Outcome
    from core.record import Record


@dataclass(frozen=True)
class Look:
    """A `core.repair.Sight`: it makes each call to AWS once, when the answer is needed.

    Attributes:
        record: the record, read before its task was looked at.
        task: the task, as DescribeTasks shows it; None where ECS does not know it.
        now: the moment of the look.
    """

    settings: Settings
    records: Records
    record: Record
    task: Mapping[str, Any] | None
    now: datetime

    @property
    def is_known(self) -> bool:
        """Whether ECS knows the record's task."""
        return self.task is not None

    @cached_property
    def end(self) -> Outcome | None:
        """The end of the task, as ECS shows it."""
        return classify(self.task, self.record.job.container) if self.task else None

    @property
    def starts_by(self) -> datetime | None:
        """The moment by which the task has to begin."""
        if self.task is None:
            return None
        record = self.record
        return starts_by(self.task, record.job.container, record.start_timeout_seconds)

    def silent_from(self, record: Record) -> datetime | None:
        """Return the moment by which the worker has to report progress again."""
        return silent_from(self.task, record, self.now) if self.task else None

    @cached_property
    def fresh(self) -> Record | None:
        """The record, read again."""
        return self.records.get(self.record.execution_id)

    @cached_property
    def execution(self) -> str | None:
        """The execution's status."""
        return executions.status(self.record.execution_arn)

    @cached_property
    def launched(self) -> str | None:
        """The ARN of a task that bears the attempt's name."""
        record = self.record
        name = Correlation(self.settings.stack_name, record.execution_id, record.attempt)
        # Each such record takes a ListTasks.
        pause()
        return ecs.find_task(self.settings.cluster_arn, record.job.family, name.started_by)
