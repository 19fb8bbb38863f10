"""What surrounds the task-state function: an execution, its callback, its record, and faults."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from adapters.errors import AwsBusyError
from adapters.records import Records
from core.answer import Answer
from core.correlation import Correlation
from core.record import Flow, Record, Status
from ecs_events.closing import NotSettledError
from tests.integration.aws import ENVIRONMENT, STACK, error, reply
from tests.property.lives import new_task

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

    from core.outcome import Outcome
    from local.ecs.state import TaskState
    from tests.integration.aws import Aws, Reply

TABLE = ENVIRONMENT["TABLE_NAME"]
BUSY = error("ThrottlingException", "Rate exceeded")


class Fault(StrEnum):
    """What goes wrong in one invocation of the function."""

    NONE = "nothing"
    ANSWER_REFUSED = "Lambda is too busy to take the answer"
    ANSWER_UNCONFIRMED = "Lambda takes the answer, and its reply is lost"
    WRITE_REFUSED = "DynamoDB is too busy to write to the record"
    WRITE_UNCONFIRMED = "DynamoDB writes to the record, and its reply is lost"


@dataclass
class Lambda:
    """Lambda's side of durable callbacks, and the seams where faults are injected.

    Attributes:
        status: the execution's.
        taken: the answers that had an effect: a callback takes one, later ones find it closed.
        fault: what goes wrong at present.
    """

    status: str = "RUNNING"
    taken: list[Answer | None] = field(default_factory=list)
    fault: Fault = Fault.NONE
    _writes: bool = False

    def install(self, aws: Aws) -> None:
        """Stand before the functions' clients."""
        aws.on("before-call", "lambda", self._asked)
        aws.on("before-call", "dynamodb.UpdateItem", self._writing)
        aws.on("after-call", "dynamodb.UpdateItem", self._written)

    def begin(self) -> None:
        """Start over with a new execution."""
        self.status, self.taken, self.fault = "RUNNING", [], Fault.NONE

    def _asked(self, model: Any, params: dict[str, Any], **_: object) -> Reply:
        if model.name == "GetDurableExecution":
            return reply({"Status": self.status})
        if self.fault is Fault.ANSWER_REFUSED:
            return reply(BUSY)
        if self.taken or self.status != "RUNNING":
            return reply(error("CallbackTimeoutException"))
        body = params["body"].decode()
        failed = model.name.endswith("Failure")
        self.taken.append(Answer.read(json.loads(body)["ErrorData"] if failed else body))
        return reply(BUSY if self.fault is Fault.ANSWER_UNCONFIRMED else {})

    def _writing(self, params: dict[str, Any], **_: object) -> Reply | None:
        self._writes = json.loads(params["body"])["TableName"] == TABLE
        return reply(BUSY) if self._writes and self.fault is Fault.WRITE_REFUSED else None

    def _written(self, http_response: AWSResponse, parsed: dict[str, Any], **_: object) -> None:
        if self._writes and self.fault is Fault.WRITE_UNCONFIRMED:
            http_response.status_code = 400
            parsed.update(BUSY)


@dataclass
class World:
    """One execution whose task ends.

    Attributes:
        record: as it was created.
    """

    aws: Aws
    functions: Lambda
    flow: Flow
    result: str | None
    records: Records = field(default_factory=lambda: Records(TABLE, timedelta(days=30)))
    record: Record = field(init=False)
    task: TaskState = field(init=False)

    def __post_init__(self) -> None:
        """Begin the execution: its record is there, its task is being started."""
        self.functions.begin()
        key = uuid.uuid4().hex
        self.record = Record(
            execution_id=key,
            execution_arn=f"arn/{key}",
            flow=self.flow,
            status=Status.PENDING,
            is_open=True,
            attempt=1,
            launch=1,
            message="hi",
            processing_time=0,
            deadline="2026-03-02T10:00:00.000Z",
            created_at="2026-03-02T09:00:00.000Z",
            updated_at="2026-03-02T09:00:00.000Z",
            callback_id="callback" if self.flow is Flow.EVENTBRIDGE else None,
            result=self.result,
        )
        self.records.create(self.record)
        self.task = new_task(self._started_by(STACK, 1))

    def _started_by(self, stack: str, attempt: int) -> str:
        return Correlation(stack, self.record.execution_id, attempt).started_by

    def event(self, task: dict[str, Any], stack: str = STACK, attempt: int = 1) -> dict[str, Any]:
        """Return the event in which ECS shows a task, that of another attempt or stack too."""
        names = {"taskArn": self.task.arn, "startedBy": self._started_by(stack, attempt)}
        return {"source": "aws.ecs", "detail": task | names}

    def deliver(self, event: dict[str, Any], fault: Fault = Fault.NONE) -> bool:
        """Invoke the function; False where it fails, so that Lambda will deliver again."""
        self.functions.fault = fault
        try:
            self.aws.deliver(event)
        except (AwsBusyError, NotSettledError):
            return False
        finally:
            self.functions.fault = Fault.NONE
        return True

    def store_task(self) -> None:
        """Let the orchestrator write RunTask's answer down."""
        self.records.started(self.record, self.task.arn)

    def resume(self) -> None:
        """Let the orchestrator go on, if its callback was answered: a failure is its to close."""
        if self.functions.status != "RUNNING" or not self.functions.taken:
            return
        outcome = self.answered()
        if not outcome.succeeded:
            self.records.close(self.record, Status.FAILED, outcome)
        self.functions.status = "SUCCEEDED" if outcome.succeeded else "FAILED"

    def stop(self) -> None:
        """Let a person stop the execution, if it still goes on: no code of ours runs for it."""
        if self.functions.status == "RUNNING":
            self.functions.status = "STOPPED"

    def answered(self) -> Outcome:
        """Return what the only answer tells."""
        [answer] = self.functions.taken
        assert answer is not None
        return answer.outcome

    def stored(self) -> Record:
        """Return the record as it is now."""
        record = self.records.get(self.record.execution_id)
        assert record is not None
        return record
