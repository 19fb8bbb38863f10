"""The part that the three flows share: a validated execution, its launch and its end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from adapters import clock, ecs, objects, observation, traces
from adapters.errors import AwsRefusedError
from adapters.logs import evidence
from adapters.records import Records
from adapters.settings import OrchestratorSettings
from adapters.telemetry import logger, tracer
from core.capacity import first, following
from core.conclusion import Conclusion
from core.correlation import Correlation, execution_id
from core.data import address
from core.handover import may_follow
from core.launch import Launch, Started
from core.moment import timestamp
from core.outcome import (
    Cancelled,
    FailedToStart,
    LearnedBy,
    Missing,
    Outcome,
    classify,
    so_far,
    stop_reason,
)
from core.payload import check_length
from core.reading import InvalidRequestError
from core.record import Record, Status
from core.retry import relaunch_delay
from core.verdict import verdict, witnessed
from core.visibility import SHOWN_AFTER_END, TOKEN_TRUSTED
from core.work import Work, parse
from core.write import Write
from orchestrator import placement
from orchestrator.errors import InvalidPayloadError

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.types import LoggerInterface

    from core.flow import Flow
    from core.job import Job

_FIRST = 1


@dataclass(frozen=True, slots=True)
class Execution:
    """One durable execution with a payload that can be run.

    Attributes:
        arn: the execution's ARN.
        work: the validated payload.
        launch: the RunTask request of its present attempt.
    """

    arn: str
    work: Work
    launch: Launch
    settings: OrchestratorSettings
    records: Records

    @classmethod
    def begin(cls, event: object, context: DurableContext, flow: Flow) -> Execution:
        """Validate the payload, and give the execution's id to every log line.

        Raises:
            InvalidPayloadError: fails the execution before anything was written or started.
        """
        arn = context.execution_context.durable_execution_arn
        key = execution_id(arn)
        logger.set_correlation_id(key)
        context.set_logger(logger)
        settings = OrchestratorSettings.load()
        correlation = Correlation(settings.stack_name, key, _FIRST)
        try:
            work = parse(event, flow, key, settings.terms)
            capacity = first(work.job.capacity)
            launch = Launch(arn, correlation, _FIRST, flow, work.job, capacity=capacity)
            names, attempts = (settings.table_name, settings.data_bucket), work.policy.max_attempts
            check_length(work.told, launch.excess(*names, attempts))
        except InvalidRequestError as error:
            raise InvalidPayloadError.of(error) from error
        return cls(
            arn,
            work,
            launch,
            settings,
            Records.of(settings),
        )

    @property
    def facts(self) -> dict[str, Any]:
        """The fields that every result and every error of the execution has."""
        correlation = self.launch.correlation
        return {
            "executionId": correlation.execution_id,
            "flow": self.launch.flow.value,
            "attempt": correlation.attempt,
        }

    @property
    def attempt(self) -> int:
        """The number of the try at the work, from 1."""
        return self.launch.correlation.attempt

    def next_attempt(self, outcome: Outcome) -> Execution:
        """Return the execution with the attempt that follows one with this outcome."""
        correlation = replace(self.launch.correlation, attempt=self.attempt + 1)
        return self._after(outcome, replace(self.launch, correlation=correlation, number=_FIRST))

    def next_launch(self, outcome: Outcome) -> Execution:
        """Return the execution with another RunTask request of the same attempt.

        Args:
            outcome: the outcome of the last request, which started no task.
        """
        return self._after(outcome, replace(self.launch, number=self.launch.number + 1))

    def _after(self, outcome: Outcome, launch: Launch) -> Execution:
        capacity = following(self.work.job.capacity, self.launch.capacity, outcome)
        return replace(self, launch=replace(launch, capacity=capacity))

    def retry_delay(self, outcome: Outcome) -> int | None:
        """Return the seconds to wait before the next attempt; None if the outcome is final."""
        return self.work.policy.delay(outcome, self.attempt, self.arn)

    def relaunch_delay(self, outcome: Outcome, tries: int) -> int | None:
        """Return the seconds to wait before RunTask is called again; None to give up."""
        seed = f"{self.arn}/{self.attempt}"
        return relaunch_delay(outcome, tries, self.work.timeout_seconds, seed)

    def create_record(self, log: LoggerInterface, callback_id: str | None = None) -> Record:
        """Store the record that correlates the task, before the task exists."""
        record = self._record(callback_id)
        if (record.attempt, record.launch) != (_FIRST, _FIRST):
            return self.records.prepare(record)
        stored = self.records.create(record)
        if stored is record:
            log.info("Record created", extra={"executionId": record.execution_id})
        return stored

    def _record(self, callback_id: str | None) -> Record:
        created = clock.now()
        return Record(
            execution_id=self.launch.correlation.execution_id,
            execution_arn=self.arn,
            flow=self.launch.flow,
            status=Status.PENDING,
            is_open=True,
            attempt=self.launch.correlation.attempt,
            launch=self.launch.number,
            capacity=self.launch.capacity,
            job=self.work.job,
            begun_at=timestamp(created),
            deadline=timestamp(created + timedelta(seconds=self.work.timeout_seconds)),
            start_timeout_seconds=self.work.start_timeout_seconds,
            heartbeat_seconds=self.work.heartbeat_seconds,
            created_at=timestamp(created),
            updated_at=timestamp(created),
            callback_id=callback_id,
            trace_header=traces.header(),
            ticket=secrets.token_hex(16) if self.launch.flow.takes_result else None,
        )

    @tracer.capture_method(capture_response=False)
    def run_task(self, record: Record) -> str | Outcome:
        """Start the task, or find the one that an interrupted try of this launch started.

        Returns:
            The task's ARN, or the outcome of having none.
        """
        tracer.put_annotation("executionId", record.execution_id)
        if decided := self._decided(record):
            return decided
        self._put_input(record.job)
        return placement.start(self.launch.stored(record), self.settings)

    def _put_input(self, job: Job) -> None:
        """Put the input's object; a later attempt finds the first one's."""
        if self.attempt > _FIRST or job.input_sha256 is None or self.work.body is None:
            return
        if place := address(job.input_uri or ""):
            objects.put(place, self.work.body, job.input_sha256)

    def store_task(self, record: Record, task_arn: str) -> None:
        """Store the task's ARN; stop the task if nothing waits for it any more."""
        if self.records.started(record, task_arn) is Write.MOVED_ON:
            closed = Cancelled(detail="The record was closed during the launch")
            ecs.stop_task(self.settings.cluster_arn, task_arn, stop_reason(closed))

    def launch_task(
        self, log: LoggerInterface, callback_id: str | None = None
    ) -> Started | Outcome:
        """Store the record, call RunTask, store the ARN: a step that may be interrupted anywhere.

        Returns:
            The task, or the outcome of having none.
        """
        record = self.create_record(log, callback_id)
        task = self.run_task(record)
        if isinstance(task, Outcome):
            return task
        self.store_task(record, task)
        # The lines come last: after a throttle the step is repeated, and each line is logged once.
        log.info("Task started", extra={"taskArn": task, "capacity": record.capacity})
        log.info("Waiting for the task to end", extra={"deadline": record.deadline})
        return Started.of(record, task)

    def stop(self, started: Started, ending: Outcome) -> Outcome:
        """Stop a task; return `ending`, or the task's own end if that came first."""
        return self._stop(started, ending).learned(LearnedBy.CHECK, clock.now())

    def _stop(self, started: Started, ending: Outcome) -> Outcome:
        cluster, task_arn = self.settings.cluster_arn, started.task_arn
        task = ecs.describe_task(cluster, task_arn)
        if task and (end := classify(task, started.container)):
            return end
        try:
            ecs.stop_task(cluster, task_arn, stop_reason(ending))
        except AwsRefusedError:
            # A task that was just started may be unknown to DescribeTasks, but not to StopTask.
            if task is None:
                return self.end_of_forgotten(task_arn)
            raise
        return so_far(ending, task) if task else replace(ending, task_arn=task_arn)

    def end_of_forgotten(self, task_arn: str) -> Outcome:
        """Return the stored end of a task that ECS has forgotten; Missing without one."""
        record = self.stored()
        stored = record.end_of(task_arn) if record else None
        return stored or Missing(task_arn=task_arn)

    def back_off(self, outcome: Outcome) -> bool:
        """End the attempt in the record before the next; return False if no next one may follow."""
        record, outcome = self.stored(), _learned(outcome)
        if record is None:
            return False
        if record.attempt > self.attempt:
            # An earlier try of this step made the write.
            return record.is_open
        if witnessed(record, outcome) is not outcome:
            # The work has begun, so it is not repeated.
            return False
        write = self.records.back_off(record, outcome)
        if write is Write.WRITTEN:
            observation.trace_attempt(record, outcome)
        return write.holds

    def close(self, outcome: Outcome) -> Conclusion:
        """Close the record as the outcome says.

        Returns:
            The end of the execution: a failure where a success has a result that cannot be taken.
        """
        record, outcome = self.stored(), _learned(outcome)
        if record is None:
            found = None if outcome.succeeded else evidence(self.settings, self.work.job, outcome)
            return Conclusion(outcome, evidence=found)
        write, conclusion = self._close(record, outcome)
        if write is Write.MOVED_ON and may_follow(record, outcome):
            record = self.stored() or record
            write, conclusion = self._close(record, outcome)
        if write is Write.MOVED_ON:
            logger.warning("Record not closed: it has moved on", extra={"status": record.status})
        return conclusion

    def _close(self, record: Record, outcome: Outcome) -> tuple[Write, Conclusion]:
        outcome = witnessed(record, outcome)
        judged = verdict(record, outcome, reported=None if outcome.succeeded else outcome)
        status, outcome = judged.status, judged.outcome
        found = None if outcome.succeeded else evidence(self.settings, record.job, outcome)
        conclusion = Conclusion.of(record, outcome, found, self.facts)
        if not record.is_open and record.status is status:
            return Write.ALREADY, conclusion
        write = self.records.close(record, status, conclusion.outcome, found)
        if write is Write.WRITTEN:
            observation.trace_attempt(record, conclusion.outcome)
        return write, conclusion

    def _decided(self, record: Record) -> str | Outcome | None:
        """Return the decision of an interrupted try of this launch, or of somebody meanwhile."""
        if record.attempt != self.attempt:
            # This invocation is outdated, and cannot checkpoint anything.
            return Cancelled(detail="Another attempt has begun")
        if record.task_arn:
            return record.task_arn
        if not record.is_open:
            return Cancelled(detail="The record was closed before the launch")
        now = clock.now()
        left = datetime.fromisoformat(record.deadline) - now
        age = now - datetime.fromisoformat(record.begun_at)
        if left > timedelta() and age <= TOKEN_TRUSTED:
            return None
        started_by = self.launch.correlation.started_by
        found = ecs.find_task(self.settings.cluster_arn, record.job.family, started_by)
        return found or self._without_task(record, left)

    def _without_task(self, record: Record, left: timedelta) -> Outcome | None:
        """Return the outcome of an old launch of which ECS knows no task; None to launch now."""
        if clock.now() - datetime.fromisoformat(record.updated_at) > SHOWN_AFTER_END:
            unknown = f"The launch was cut off after {record.updated_at}; a task that it may have"
            return Missing(detail=f"{unknown} started is shown for an hour after its end only")
        if left > timedelta():
            return None
        past = f"The deadline, {record.deadline}, had passed before a task was started"
        return FailedToStart(detail=f"{past}; lines `Launching again`, if there are any, say why")

    def stored(self) -> Record | None:
        """Return the execution's record as it stands; None if it is gone or another's."""
        record = self.records.get(self.launch.correlation.execution_id)
        return record if record and record.execution_arn == self.arn else None


def _learned(outcome: Outcome) -> Outcome:
    """Return the end as learned by the execution itself, unless another party has reported it."""
    return outcome.learned(LearnedBy.CHECK, clock.now())
