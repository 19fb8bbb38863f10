"""The report of a task's end to its execution and record: every completion passes here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters import callbacks, executions
from core.answer import Answer
from core.done import Done
from core.outcome import Missing
from core.record import Standing
from core.verdict import ENDED_BADLY, verdict
from core.write import Write
from ecs_events.closing import Closing, NotSettledError, reported_failure

if TYPE_CHECKING:
    from adapters.records import Records
    from adapters.settings import Settings
    from core.outcome import Outcome
    from core.record import Record
    from core.verdict import Verdict


# Statuses of an execution that goes on once somebody resumes it.
_PAUSED = frozenset({"PAUSED", "PAUSING"})


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of one task, and its report to execution and record.

    Attributes:
        record: the open record of the task's attempt, read consistently.
    """

    settings: Settings
    records: Records
    record: Record
    outcome: Outcome

    def complete(self) -> Done:
        """Report the end; repeatable at any point. Return the word for what was done.

        Raises:
            NotSettledError: the meaning of a closed callback or a refused write is not known yet.
            AwsBusyError, AwsRefusedError: an answer or a write failed.
        """
        if self.record.knows(self.outcome):
            return self._repeat()
        judged = verdict(self.record, self.outcome)
        if not self.record.flow.is_awaited:
            return self._close(judged, Done.closed(judged.status))
        if self.record.flow.has_callback:
            return self._answer(judged)
        return self._report(self.outcome, Done.OUTCOME_STORED)

    def _repeat(self) -> Done:
        """Answer again with a success that is stored in an open record, and do nothing else.

        Its callback was closed while the execution went on. Once that has ended, this closes the
        record; or it shows that the callback only seemed closed. The success stays one, even if
        somebody has written another result into the record since then.
        """
        known = self.record.end_of(self.outcome.task_arn)
        judged = verdict(self.record, known) if known is not None else None
        if self.record.flow.has_callback and judged is not None and judged.outcome.succeeded:
            return self._answer(judged)
        return Done.REPORTED_BEFORE

    def _answer(self, judged: Verdict) -> Done:
        """Answer first, write second: the event's retry repairs a crash between the two.

        The answered execution may write first: this call still counts as the answer.
        """
        callback_id, outcome = self.record.callback_id or "", judged.outcome
        answer = Answer.of(outcome, self.record.result, self.record.result_uri)
        if outcome.succeeded:
            if callbacks.succeed(callback_id, answer.text()):
                self._close(judged, Done.CALLBACK_SUCCEEDED)
                return Done.CALLBACK_SUCCEEDED
        elif callbacks.fail(callback_id, outcome.summary, answer.text()):
            self._report(outcome, Done.CALLBACK_FAILED)
            return Done.CALLBACK_FAILED
        return self._after_closed_callback(outcome)

    def _after_closed_callback(self, outcome: Outcome) -> Done:
        """Find out who closed the callback first: only the execution's status shows it.

        It was an earlier try of ours that was interrupted before its write; or the callback's
        timeout, with which the orchestrator deals; or the end of the execution.

        An execution that goes on has steps of its own to run, or is paused: ECS may have forgotten
        the task by its end, so the record keeps the end until then, unless it is Missing.
        """
        status = executions.status(self.record.execution_arn)
        if status in _PAUSED:
            # A better outcome than Missing may be known by the resume.
            is_known = not isinstance(outcome, Missing)
            return self._report(outcome, Done.PAUSED) if is_known else Done.PAUSED
        if status == "RUNNING" and not isinstance(outcome, Missing):
            return self._report(outcome, Done.GOES_ON)
        if status not in {"SUCCEEDED", None, *ENDED_BADLY}:
            raise NotSettledError(f"The callback is closed, and its execution is {status}.")
        fresh = self.records.get(self.record.execution_id)
        if fresh is None or not fresh.is_open:
            return Done.MOVED_ON
        if status == "SUCCEEDED":
            return replace(self, outcome=outcome).close_after_success(Done.CALLBACK_ANSWERED_BEFORE)
        if status is None:
            # Lambda forgets an execution some time after its end, so its status is lost.
            return replace(self, outcome=outcome).close_after_success(Done.EXECUTION_FORGOTTEN)
        reported = reported_failure(fresh) if status == "FAILED" else None
        judged = verdict(self.record, outcome, status, reported)
        return self._close(judged, Done.ended(str(status)))

    def close_after_success(self, done: Done) -> Done:
        """Close the record of an execution that has succeeded; see `complete`."""
        return self._close(verdict(self.record, self.outcome, "SUCCEEDED"), done)

    def _report(self, outcome: Outcome, done: Done) -> Done:
        write = self.records.report(self.record, outcome)
        if write is Write.ALREADY:
            return Done.REPORTED_BEFORE
        return done if write is Write.WRITTEN else self._overtaken()

    def _close(self, judged: Verdict, done: Done) -> Done:
        write = Closing(self.settings, self.records, self.record).close(judged)
        return done if write is Write.WRITTEN else self._overtaken()

    def _overtaken(self) -> Done:
        """Settle a record that changed since it was read: done, unless it waits for this task."""
        attempt, task_arn = self.record.attempt, self.outcome.task_arn or ""
        fresh = self.records.get(self.record.execution_id)
        if fresh and fresh.standing(attempt, task_arn) is Standing.CURRENT:
            raise NotSettledError("The record changed while the end was being written.")
        return Done.MOVED_ON
