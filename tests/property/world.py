"""The surroundings of the task-state function: an execution, its callback, its record, faults."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from adapters.errors import AwsBusyError
from core.correlation import Correlation
from core.record import Record, Status
from ecs_events.closing import NotSettledError
from tests.integration.aws import STACK, throttled
from tests.integration.repairs.executions import Executions
from tests.integration.repairs.scene import TABLE, Scene
from tests.property.lives import new_task

if TYPE_CHECKING:
    from core.flow import Flow
    from core.outcome import Outcome
    from tests.integration.aws import Aws


class Fault(StrEnum):
    """The faults of one invocation of the function: a call is throttled before or after it acts."""

    NONE = "nothing"
    ANSWER_REFUSED = "before-call.lambda"
    ANSWER_UNCONFIRMED = "after-call.lambda"
    WRITE_REFUSED = "before-call.dynamodb.UpdateItem"
    WRITE_UNCONFIRMED = "after-call.dynamodb.UpdateItem"


class Lambda(Executions):
    """Lambda's side of durable callbacks, and what goes wrong at the function's calls.

    Attributes:
        fault: what goes wrong at present.
    """

    def __init__(self, aws: Aws) -> None:
        super().__init__()
        self._aws, self.fault = aws, Fault.NONE
        aws.answer("lambda", self.answered)
        for fault in set(Fault) - {Fault.NONE}:
            moment, _, operation = fault.partition(".")
            aws.on(moment, operation, partial(self._happen, fault), first=True)

    def _happen(self, fault: Fault, model: Any, **_: object) -> None:
        # Neither a question is an answer, nor what the function remembers of events a record.
        is_meant = model.name != "GetDurableExecution" and (
            model.name != "UpdateItem" or self._aws.calls["UpdateItem"][-1]["TableName"] == TABLE
        )
        if is_meant and fault is self.fault:
            raise ClientError(throttled(1)[0], model.name)


class World:
    """One execution whose task ends.

    Attributes:
        record: as it was created.
        task: that is being started.
    """

    def __init__(self, aws: Aws, functions: Lambda, flow: Flow, result: str | None) -> None:
        self._scene, self._functions = Scene(aws, pytest.MonkeyPatch()), functions
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

    def repair(self) -> None:
        """Let the reconciler run, if the execution has ended and its record is still open."""
        if not self._goes_on() and self.stored().is_open:
            self._scene.reconcile()

    def stop(self) -> None:
        """Let a person stop the execution, if it still goes on: no code of ours runs for it."""
        if self._goes_on():
            self._functions.set(self.record, "STOPPED")

    def _goes_on(self) -> bool:
        return self.record.execution_id not in self._functions.shown

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
