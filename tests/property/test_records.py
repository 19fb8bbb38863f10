from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from adapters.records import Records
from core.flow import Flow
from core.outcome import ApplicationFailed, Outcome, Succeeded, TimedOut
from core.record import ENDED, TRANSITIONS, Record, Status, barriers
from core.write import Write
from tests.integration.aws import ENVIRONMENT, REGION
from tests.values import record
from worker import report
from worker.assignment import Assignment

if TYPE_CHECKING:
    from tests.integration.aws import Aws

TABLE, BUCKET = ENVIRONMENT["TABLE_NAME"], ENVIRONMENT["DATA_BUCKET"]
TICKET, OTHER_TICKET = "0123456789abcdef" * 2, "fedcba9876543210" * 2
TASKS = st.sampled_from(["arn:task/one", "arn:task/two"])
ENDS = st.sampled_from([Status.COMPLETED, Status.FAILED])
OUTCOMES = st.builds(
    lambda kind, task: kind(task_arn=task),
    st.sampled_from([Succeeded, ApplicationFailed, TimedOut]),
    st.none() | TASKS,
)


@given(st.lists(st.sampled_from(Status)))
def test_the_end_is_never_left(wanted: list[Status]) -> None:
    """No sequence of allowed transitions leaves COMPLETED or FAILED."""
    walked = [Status.PENDING]
    for status in wanted:
        if status in TRANSITIONS[walked[-1]]:
            assert not any(walked[-1] in barriers(flow, status) for flow in Flow)
            walked.append(status)
    assert not ENDED & set(walked[:-1])


class Writers(RuleBasedStateMachine):
    """Everybody who writes to a record, in any order, each as often as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.records = Records(TABLE, timedelta(days=30), BUCKET)
        self.record = new_record(attempt=1)
        self.records.create(self.record)
        self.before = self.read()

    def read(self) -> dict[str, Any]:
        """Return the stored item, without the cost of a call."""
        key = {"executionId": {"S": self.record.execution_id}}
        item = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_item(TABLE, key)
        assert item
        return dict(item.to_json()["Attributes"])

    @rule(task=TASKS)
    def started(self, task: str) -> None:
        """RunTask's answer is stored, or it is known that nobody waits for the task."""
        write = self.records.started(self.record, task)
        assert write.holds is (self.read().get("taskArn") == {"S": task})
        assert_told(write, self.before, self.read())

    @rule(outcome=OUTCOMES)
    def reported(self, outcome: Outcome) -> None:
        """A task's end is stored."""
        write = self.records.report(self.record, outcome)
        assert_told(write, self.before, self.read())
        if write.holds:
            assert self.read()["lastOutcome"]["M"]["kind"] == {"S": outcome.kind}

    @rule(status=ENDS, outcome=OUTCOMES)
    def closed(self, status: Status, outcome: Outcome) -> None:
        """The record is closed, or has moved on to another end."""
        write = self.records.close(self.record, status, outcome)
        assert_told(write, self.before, self.read())
        if write.holds:
            assert self.read()["status"] == {"S": status.value}
            assert "open" not in self.read()

    @rule(
        text=st.sampled_from(['"one"', '"two"']), flow=st.sampled_from(["dynamodb", "eventbridge"])
    )
    def worked(self, text: str, flow: str) -> None:
        """The worker hands over a result."""
        with contextlib.suppress(ClientError):
            report.result(self.assignment(flow), text)

    @rule()
    def failed(self) -> None:
        """The worker tells its failure."""
        with contextlib.suppress(ClientError):
            report.failure(self.assignment("dynamodb"), ValueError("bad row"), 1)

    @rule()
    def created_again(self) -> None:
        """A launch that is repeated finds its record as it is."""
        assert self.records.create(self.record).to_item()["executionId"] == self.record.execution_id

    @rule(task=TASKS, status=ENDS)
    def told_of_another_attempt(self, task: str, status: Status) -> None:
        """A write for another attempt is refused, and changes nothing."""
        other = new_record(attempt=2, execution_id=self.record.execution_id)
        before = self.read()
        outcome = Succeeded(task_arn=task)
        assert self.records.started(other, "arn:task/other") is Write.MOVED_ON
        assert self.records.report(other, outcome) is Write.MOVED_ON
        assert self.records.close(other, status, outcome) is Write.MOVED_ON
        with contextlib.suppress(ClientError):
            report.result(self.assignment("eventbridge", OTHER_TICKET), '"other"')
        assert self.read() == before

    @invariant()
    def only_forward(self) -> None:
        """A decision stays: the end, the close, the task, the worker's words."""
        before, after = self.before, self.read()
        self.before = after
        assert "open" in before or after == before
        was, is_now = Status(before["status"]["S"]), Status(after["status"]["S"])
        assert is_now is was or is_now in TRANSITIONS[was]
        assert ("open" in after) is ("expiresAt" not in after)
        assert "open" in after or is_now in ENDED
        assert ("ticket" in after) is ("open" in after)
        for name in ("taskArn", "result"):
            assert name not in before or after[name] == before[name]
        assert after.get("ticket", before.get("ticket")) == before.get("ticket")
        if "error" in before and is_now is not Status.COMPLETED:
            assert after["error"]["M"]["summary"] == before["error"]["M"]["summary"]

    def assignment(self, flow: str, ticket: str = TICKET) -> Assignment:
        """Return what an attempt's worker was told."""
        return Assignment(self.record.execution_id, flow, 1, "hi", 0, TABLE, ticket)


class Attempts(RuleBasedStateMachine):
    """Everybody who ends attempts, by what they have read of the record, now or long ago."""

    seen = Bundle("seen")

    def __init__(self) -> None:
        super().__init__()
        self.records = Records(TABLE, timedelta(days=30), BUCKET)
        # Between two attempts a record of this flow has no callback to begin the next with.
        self.record = replace(new_record(attempt=1), flow=Flow.POLLING, ticket=None)
        self.records.create(self.record)
        self.expected: list[tuple[int, str]] = []

    def stored(self) -> Record:
        """Return the record as it is."""
        stored = self.records.get(self.record.execution_id)
        assert stored
        return stored

    def ended(self, seen: Record, outcome: Outcome, write: Write) -> None:
        """Expect an entry of an attempt that this write has ended."""
        if write is Write.WRITTEN and seen.launch:
            self.expected.append((seen.attempt, outcome.kind))

    @rule(target=seen)
    def looked(self) -> Record:
        """A writer reads the record, and acts on it at any later time."""
        return self.stored()

    @rule(seen=seen)
    def launched(self, seen: Record) -> None:
        """A launch is recorded, an attempt's first or a further one."""
        self.records.prepare(replace(seen, launch=seen.launch + 1, status=Status.PENDING))

    @rule(seen=seen, outcome=OUTCOMES)
    def backed_off(self, seen: Record, outcome: Outcome) -> None:
        """An attempt that has begun ends, and another is to follow."""
        if seen.launch:
            self.ended(seen, outcome, self.records.back_off(seen, outcome))

    @rule(seen=seen, outcome=OUTCOMES)
    def reported(self, seen: Record, outcome: Outcome) -> None:
        """An end is stored, and ends no attempt."""
        self.records.report(seen, outcome)

    @rule(seen=seen, outcome=OUTCOMES, status=ENDS, is_full=st.booleans())
    def closed(self, seen: Record, outcome: Outcome, status: Status, *, is_full: bool) -> None:
        """The record is closed, and with it its last attempt."""
        close = self.records.close_without_result if is_full else self.records.close
        self.ended(seen, outcome, close(seen, status, outcome))

    @invariant()
    def once_each(self) -> None:
        """The record has one entry for each attempt that has begun and ended, in their order."""
        stored = self.stored()
        assert [(kept["attempt"], kept["kind"]) for kept in stored.attempts] == self.expected
        is_ended = not stored.is_open and bool(stored.launch)
        numbers = [attempt for attempt, _ in self.expected]
        assert numbers == [*range(1, stored.attempt + is_ended)]


def assert_told(write: Write, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Assert that a write says whether it has changed what the record tells."""
    told = [{k: v for k, v in item.items() if k != "updatedAt"} for item in (before, after)]
    assert (write is Write.WRITTEN) is (told[0] != told[1])


def new_record(attempt: int, execution_id: str | None = None) -> Record:
    """Return a record as a launch creates it."""
    key = execution_id or uuid.uuid4().hex
    return record(execution_id=key, flow=Flow.DYNAMODB, attempt=attempt, ticket=TICKET)


def test_writers(aws: Aws) -> None:  # noqa: ARG001 - the tables
    """A record only moves forward and closes once, in any order of its writers."""
    run_state_machine_as_test(Writers, settings=settings(max_examples=25, stateful_step_count=8))


def test_attempts(aws: Aws) -> None:  # noqa: ARG001 - the tables
    """A record keeps each ended attempt once, in any order of the ends."""
    run_state_machine_as_test(Attempts, settings=settings(max_examples=25, stateful_step_count=12))
