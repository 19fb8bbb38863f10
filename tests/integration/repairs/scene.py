"""Records and tasks as a test wants to find them, and the functions that put them right."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters import clock
from adapters.clients import client
from adapters.records import Records
from adapters.updates import serialized
from core.correlation import Correlation
from core.flow import Flow
from core.moment import timestamp
from core.outcome import Outcome, classify
from core.record import Record, Status
from ecs_events import execution_status, reconciler
from tests.integration.aws import ENVIRONMENT, FAMILY, JOB, STACK, function_context
from tests.values import record

if TYPE_CHECKING:
    import pytest

    from tests.integration.aws import Aws

TABLE, BUCKET = ENVIRONMENT["TABLE_NAME"], ENVIRONMENT["DATA_BUCKET"]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Past the grace of every branch.
LATER = 5 * MINUTE


@dataclass
class Scene:
    """One table and one cluster, put together by hand."""

    aws: Aws
    monkeypatch: pytest.MonkeyPatch
    records: Records = field(default_factory=lambda: Records(TABLE, timedelta(days=30), BUCKET))
    _passed: timedelta = timedelta()

    def __post_init__(self) -> None:
        """Set the clock that the test moves."""
        now = clock.now
        self.monkeypatch.setattr(clock, "now", lambda: now() + self._passed)

    def pass_time(self, span: timedelta) -> None:
        """Let some time pass, for the functions and for ECS."""
        self._passed += span

    def begin(self, flow: Flow = Flow.EVENTBRIDGE, **changes: Any) -> Record:
        """Store a record as a launch creates it, an hour ago; its attempt may take two."""
        return self.put(self._new(flow, **changes))

    def _new(self, flow: Flow, **changes: Any) -> Record:
        key, then = uuid.uuid4().hex, clock.now() - HOUR
        created = record(
            execution_id=key,
            flow=flow,
            job=JOB,
            begun_at=timestamp(then),
            deadline=timestamp(then + 2 * HOUR),
            created_at=timestamp(then),
            updated_at=timestamp(then),
        )
        return replace(created, **changes)

    def between(self, flow: Flow = Flow.EVENTBRIDGE, **changes: Any) -> Record:
        """Store a record that is between its first two attempts."""
        backing_off = {"status": Status.BACKOFF, "attempt": 2, "launch": 0, "callback_id": None}
        return self.begin(flow, **{**backing_off, **changes})

    def running(self, flow: Flow = Flow.EVENTBRIDGE, **changes: Any) -> Record:
        """Store a record whose task runs."""
        record = self._new(flow, **changes)
        task_arn = self.launch(record)
        return self.put(replace(record, task_arn=task_arn, status=Status.RUNNING))

    def starting(self, flow: Flow, seconds: int | None) -> Record:
        """Store a record whose task has been about to start for an hour; it had so many seconds."""
        record = self._new(flow, start_timeout_seconds=seconds)
        task_arn = self._ask(record, record.attempt, STACK)
        return self.put(replace(record, task_arn=task_arn, status=Status.RUNNING))

    def ended(self, flow: Flow, code: int) -> Record:
        """Store a record whose task has ended, with a result if it succeeded; nobody knows yet."""
        record = self.running(flow)
        self.end(record.task_arn, code)
        has_result = flow is not Flow.POLLING and code == 0
        return self.put(replace(record, result='{"answer":42}' if has_result else None))

    def put(self, record: Record, **spoilt: Any) -> Record:
        """Store a record as it is, or with attributes of any other value; None is without one."""
        item = {**record.to_item(), **spoilt}
        kept = {name: value for name, value in item.items() if value is not None}
        client("dynamodb").put_item(TableName=TABLE, Item=serialized(kept))
        return record

    def launch(self, record: Record, *, stack: str = STACK, attempt: int | None = None) -> str:
        """Start a task of a record's attempt; return its ARN."""
        arn = self._ask(record, attempt or record.attempt, stack)
        self.pass_time(-HOUR)
        self.aws.task(arn).advance("RUNNING")
        self.pass_time(HOUR)
        return arn

    def _ask(self, record: Record, attempt: int, stack: str) -> str:
        self.pass_time(-HOUR)
        arn = self.aws.run_task(Correlation(stack, record.execution_id, attempt).started_by)
        self.pass_time(HOUR)
        return arn

    def forge(self, record: Record) -> str:
        """Start a task of another family that bears a record's `startedBy`; return its ARN."""
        definitions = self.aws.ecs.definitions
        definitions["foreign"] = {**definitions[FAMILY], "Family": "foreign"}
        name = Correlation(STACK, record.execution_id, record.attempt)
        return self.aws.run_task(name.started_by, "foreign")

    def end(self, task_arn: str | None, code: int = 0, ago: timedelta = LATER) -> None:
        """End a task by its container's exit, some time ago."""
        self.pass_time(-ago)
        self.aws.exit(code, task_arn)
        self.pass_time(ago)

    def stored(self, record: Record) -> Record:
        """Return a record as it is now."""
        return Record.from_item(self.aws.stored(record.execution_id), BUCKET)

    def outcome(self, task_arn: str | None) -> Outcome | None:
        """Return how a task ended, as everybody reads it."""
        return classify(self.aws.task(task_arn).detail, JOB.container)

    def stops(self) -> list[str]:
        """Return the tasks that StopTask was asked for."""
        return [call["task"] for call in self.aws.calls.get("StopTask", ())]

    def tell(self, of: Record | str, status: str) -> str:
        """Deliver the event of an execution's end, by its record or ARN; return what was done."""
        arn = of if isinstance(of, str) else of.execution_arn
        detail = {"durableExecutionArn": arn, "status": status}
        event = {"source": "aws.lambda", "detail": detail}
        return str(execution_status.handler(event, function_context())["done"])

    def reconcile(self, *times: int) -> dict[str, int]:
        """Run the reconciler; return what it counted.

        Args:
            times: milliseconds that are left, at each look; at first 240,000, always by default.
        """
        return dict(reconciler.handler({}, function_context(*(times or [240_000]))))
