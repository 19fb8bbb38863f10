"""What surrounds the task-state function: an execution, its callback, its record, and faults."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from adapters.errors import AwsBusyError
from core.correlation import Correlation
from core.record import Flow, Record, Status
from ecs_events.closing import NotSettledError
from tests.integration.aws import STACK, reply, throttled
from tests.integration.repairs.executions import Executions
from tests.integration.repairs.scene import TABLE, Scene
from tests.property.lives import new_task

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

    from core.outcome import Outcome
    from tests.integration.aws import Aws, Reply

[BUSY] = throttled(1)


class Fault(StrEnum):
    """What goes wrong in one invocation of the function."""

    NONE = "nothing"
    ANSWER_REFUSED = "Lambda is too busy to take the answer"
    ANSWER_UNCONFIRMED = "Lambda takes the answer, and its reply is lost"
    WRITE_REFUSED = "DynamoDB is too busy to write to the record"
    WRITE_UNCONFIRMED = "DynamoDB writes to the record, and its reply is lost"


@dataclass
class Lambda(Executions):
    """Lambda's side of durable callbacks, and the seams where faults are injected.

    Attributes:
        fault: what goes wrong at present.
    """

    fault: Fault = Fault.NONE
    _writes: bool = False

    def install(self, aws: Aws) -> None:
        """Stand before the functions' clients."""
        super().install(aws)
        aws.on("before-call", "dynamodb.UpdateItem", self._writing)
        aws.on("after-call", "dynamodb.UpdateItem", self._written)

    def _answered(self, model: Any, params: dict[str, Any]) -> dict[str, Any]:
        if model.name == "GetDurableExecution":
            return super()._answered(model, params)
        if self.fault is Fault.ANSWER_REFUSED:
            return BUSY
        return super()._answered(model, params) or (
            BUSY if self.fault is Fault.ANSWER_UNCONFIRMED else {}
        )

    def _writing(self, params: dict[str, Any], **_: object) -> Reply | None:
        self._writes = json.loads(params["body"])["TableName"] == TABLE
        return reply(BUSY) if self._writes and self.fault is Fault.WRITE_REFUSED else None

    def _written(self, http_response: AWSResponse, parsed: dict[str, Any], **_: object) -> None:
        if self._writes and self.fault is Fault.WRITE_UNCONFIRMED:
            http_response.status_code = 400
            parsed.update(BUSY)


class World:
    """One execution whose task ends.

    Attributes:
        record: as it was created.
        task: that is being started.
    """

    def __init__(self, aws: Aws, functions: Lambda, flow: Flow, result: str | None) -> None:
        self._scene, self._functions = Scene(aws), functions
        self.record = self._scene.begin(flow, result=result)
        self.task = new_task(self._started_by(STACK, 1))

    def _started_by(self, stack: str, attempt: int) -> str:
        return Correlation(stack, self.record.execution_id, attempt).started_by

    def event(self, task: dict[str, Any], stack: str = STACK, attempt: int = 1) -> dict[str, Any]:
        """Return the event in which ECS shows a task, that of another attempt or stack too."""
        names = {"taskArn": self.task.arn, "startedBy": self._started_by(stack, attempt)}
        return {"source": "aws.ecs", "detail": task | names}

    def deliver(self, event: dict[str, Any], fault: Fault = Fault.NONE) -> bool:
        """Invoke the function; False where it fails, so that Lambda will deliver again."""
        self._functions.fault = fault
        try:
            self._scene.aws.deliver(event)
        except (AwsBusyError, NotSettledError):
            return False
        finally:
            self._functions.fault = Fault.NONE
        return True

    def store_task(self) -> None:
        """Let the orchestrator write RunTask's answer down."""
        self._scene.records.started(self.record, self.task.arn)

    def resume(self) -> None:
        """Let the orchestrator go on, if its callback was answered: a failure is its to close."""
        if not (self._goes_on() and self.is_answered):
            return
        outcome = self.answered()
        if not outcome.succeeded:
            self._scene.records.close(self.record, Status.FAILED, outcome)
        self._functions.set(self.record, "SUCCEEDED" if outcome.succeeded else "FAILED")

    def stop(self) -> None:
        """Let a person stop the execution, if it still goes on: no code of ours runs for it."""
        if self._goes_on():
            self._functions.set(self.record, "STOPPED")

    def _goes_on(self) -> bool:
        return self.record.execution_id not in self._functions.statuses

    @property
    def is_answered(self) -> bool:
        """Whether the callback has taken an answer: it takes one."""
        return self.record.callback_id in self._functions.answers

    def answered(self) -> Outcome:
        """Return what the only answer tells."""
        return self._functions.answer(self.record).outcome

    def stored(self) -> Record:
        """Return the record as it is now."""
        return self._scene.stored(self.record)
