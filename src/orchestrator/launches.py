"""How the flows start a task: again and again while there is no room, and never two."""

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
    """The result of the last try.

    Attributes:
        launch: the RunTask request that came to no task.
        capacity: that it asked for.
        reason: why it did not.
        delay_seconds: how long was waited since.
    """

    launch: int
    capacity: str
    reason: str
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class Try:
    """One try to start an attempt's task, and what its first step does.

    Attributes:
        execution: whose task, with the launch to ask for.
        callback_id: of the callback that waits for the task's end, if one does.
        number: which try of the attempt, from 1.
        refusal: what the try before it came to; None for the first.
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
        # In a step that follows: only there a line stands once, whatever is replayed.
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
    """Start the attempt's task, again while it is not known to run, with waits called `name`.

    Args:
        context: the execution's durable context.
        name: of the waits, and of the step that starts the task.
        first: the attempt's first try.
        start: runs the steps of one try, given context, name and the try.

    Returns:
        The execution with its last launch, and what `start` made of the task, or the outcome of
        having none.
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
            # Nobody knows whether it took effect: with the same token it starts no second task.
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
    """Return the outcome of a step that was to start the task and failed for good."""
    name = error.error_type.rpartition(".")[2]
    detail = f"{name}: {error.message}"
    # Some quotas are told by an error instead of in `failures[]`.
    return FailedToStart(
        detail=detail, transient=name == AwsBusyError.__name__ or is_transient(detail)
    )
