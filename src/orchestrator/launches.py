"""How the flows start a task: again and again while there is no room, and never two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from aws_durable_execution_sdk_python import StepError
from aws_durable_execution_sdk_python.config import Duration

from adapters.errors import AwsBusyError
from core.outcome import FailedToStart, Outcome, is_transient
from orchestrator.returns import LAUNCHED
from orchestrator.steps import LAUNCH_TRIES, numbered, run_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.types import StepContext

    from core.launch import Started
    from orchestrator.execution import Execution

T = TypeVar("T")


class Refusal(NamedTuple):
    """Why a launch is not the first of its attempt.

    Attributes:
        launch: the one that came to no task; 0 if there was none.
        reason: why it did not.
        delay_seconds: how long was waited since.
    """

    launch: int = 0
    reason: str = ""
    delay_seconds: int = 0

    def tell(self, step: StepContext) -> None:
        """Log it in the step that follows: only there a line stands once, whatever is replayed."""
        if self.launch and step.attempt == 1:
            refused = {"launch": self.launch, "reason": self.reason}
            refused["delaySeconds"] = self.delay_seconds
            step.logger.warning("Launching again", extra={"relaunch": refused})


def launch(
    context: DurableContext,
    name: str,
    execution: Execution,
    start: Callable[[Execution, Refusal], T | Outcome],
) -> T | Outcome:
    """Start the attempt's task, again while it is not known to run, with waits called `name`.

    Args:
        context: the execution's durable context.
        name: of the waits.
        execution: whose task to start.
        start: runs the steps of one launch, the first of which tells of the last refusal.

    Returns:
        What `start` made of the task, or the outcome of having none.
    """
    refusal = Refusal()
    tries = 0
    while True:
        tries += 1
        try:
            task = start(execution, refusal)
            following = execution.next_launch()
        except StepError as error:
            # Nobody knows whether it took effect: with the same token it starts no second task.
            task, following = _unknown(error), execution
        if not isinstance(task, Outcome):
            return task
        delay = execution.relaunch_delay(task, tries)
        if delay is None:
            return task
        refusal = Refusal(execution.launch.number, task.detail, delay)
        context.wait(Duration.from_seconds(delay), numbered(name, execution))
        execution = following


def launch_in_one_step(
    context: DurableContext, name: str, execution: Execution, callback_id: str | None = None
) -> Started | Outcome:
    """Record and start the attempt's task in a step called `name`, as `launch` does."""

    def start(execution: Execution, refusal: Refusal) -> Started | Outcome:
        def once(step: StepContext) -> Started | Outcome:
            refusal.tell(step)
            return execution.launch_task(step.logger, callback_id)

        return run_step(context, numbered(name, execution), once, LAUNCHED, LAUNCH_TRIES)

    return launch(context, name, execution, start)


def _unknown(error: StepError) -> FailedToStart:
    """Return the outcome of a step that was to start the task and failed for good."""
    name = error.error_type.rpartition(".")[2]
    detail = f"{name}: {error.message}"
    # Some quotas are told by an error instead of in `failures[]`.
    return FailedToStart(
        detail=detail, transient=name == AwsBusyError.__name__ or is_transient(detail)
    )
