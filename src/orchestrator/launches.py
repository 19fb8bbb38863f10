"""The start of a task in every flow: retried while there is no capacity, never doubled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from aws_durable_execution_sdk_python import StepError
from aws_durable_execution_sdk_python.config import Duration

from adapters.errors import AwsBusyError
from core.outcome import FailedToStart, Outcome, is_transient
from core.retry import LAUNCH_STEP_TRIES
from orchestrator.returns import LAUNCHED
from orchestrator.steps import numbered, run_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.types import StepContext

    from core.launch import Started
    from core.record import Record
    from orchestrator.execution import Execution

T = TypeVar("T")


class Refusal(NamedTuple):
    """A try that started no task.

    Attributes:
        launch: number of the RunTask request.
        capacity: the capacity that it asked for.
        reason: why no task was started.
        delay_seconds: the wait after it.
    """

    launch: int
    capacity: str
    reason: str
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class Try:
    """One try to start an attempt's task, and its first step.

    Attributes:
        execution: the execution, with the launch to ask for.
        callback_id: id of the callback that waits for the task's end, if one does.
        number: number of the attempt's try, from 1.
        refusal: the try before it; None for the first.
    """

    execution: Execution
    callback_id: str | None = None
    number: int = 1
    refusal: Refusal | None = None

    def create_record(self, step: StepContext) -> Record:
        """Store the record, as the first of a launch's steps."""
        self._log_refusal(step)
        return self.execution.create_record(step.logger, self.callback_id)

    def launch_task(self, step: StepContext) -> Started | Outcome:
        """Store the record, start the task and store its ARN, as the only step of a launch."""
        self._log_refusal(step)
        return self.execution.launch_task(step.logger, self.callback_id)

    def _log_refusal(self, step: StepContext) -> None:
        # The line is logged in the following step: only in a step a replay logs nothing again.
        if self.refusal and step.attempt == 1:
            launch, capacity, reason, delay = self.refusal
            refused = {"launch": launch, "capacity": capacity}
            refused |= {"reason": reason, "delaySeconds": delay}
            step.logger.warning("Launching again", extra={"relaunch": refused})


def launch_in_one_step(
    context: DurableContext, name: str, execution: Execution, callback_id: str | None = None
) -> tuple[Execution, Started | Outcome]:
    """Record and start the attempt's task in a step called `name`, as `launch` does."""
    return launch(context, name, Try(execution, callback_id), _in_one_step)


def launch(
    context: DurableContext,
    name: str,
    first: Try,
    start: Callable[[DurableContext, str, Try], T | Outcome],
) -> tuple[Execution, T | Outcome]:
    """Start the attempt's task; retry after waits called `name` until it is known to run.

    Args:
        context: the execution's durable context.
        name: name of the waits, and of the step that starts the task.
        first: the attempt's first try.
        start: runs the steps of one try, given context, name and the try.

    Returns:
        The execution with its last launch, and the result of `start`, or the outcome of having no
        task.
    """
    this = first
    while True:
        execution = this.execution
        try:
            task = start(context, name, this)
            if not isinstance(task, Outcome):
                return execution, task
            following = execution.next_launch(task)
        except StepError as error:
            # The request may have taken effect: with the same token it starts no second task.
            task, following = _unknown(error), execution
        delay = execution.relaunch_delay(task, this.number)
        if delay is None:
            return execution, task
        context.wait(Duration.from_seconds(delay), numbered(name, execution))
        asked = execution.launch
        refusal = Refusal(asked.number, asked.capacity, task.detail, delay)
        this = replace(this, execution=following, number=this.number + 1, refusal=refusal)


def _in_one_step(context: DurableContext, name: str, this: Try) -> Started | Outcome:
    return run_step(
        context, numbered(name, this.execution), this.launch_task, LAUNCHED, LAUNCH_STEP_TRIES
    )


def _unknown(error: StepError) -> FailedToStart:
    """Return the outcome of a launch step that has failed for good."""
    name = error.error_type.rpartition(".")[2]
    detail = f"{name}: {error.message}"
    # Some quotas are reported by an error and not in `failures[]`.
    return FailedToStart(
        detail=detail, transient=name == AwsBusyError.__name__ or is_transient(detail)
    )
