"""A durable function with steps of its own around a task: copy it, and put yours in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.errors import TaskFailedError
from orchestrator.eventbridge import run
from orchestrator.handlers import durable_handler

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext

    from tests.integration.aws import Aws
    from tests.integration.conftest import Start


@durable_handler
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """Prepare a day's rows, let a task work on them, and publish what came of it."""
    rows = context.step(lambda _: f"rows of {event['day']}", "prepare")
    try:
        task = run({"message": rows, "maxAttempts": 1}, context)
    except TaskFailedError as error:
        reason = error.message
        published = context.step(lambda _: f"no report: {reason}", "apologise")
    else:
        published = context.step(lambda _: f"report {task['result']}", "publish")
    return {"published": published}


def test_steps_around_a_task(aws: Aws, durable: Start) -> None:
    """Steps before a task give it its input, and steps after it have its result."""
    execution = durable(handler, {"day": "Monday"})
    record = aws.wait_for_record(lambda record: record.task_arn)
    assert record.job.environment["MESSAGE"] == "rows of Monday"
    aws.rewrite("SET #result = :result", result='"42"')
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    assert execution.result() == {"published": "report 42"}


def test_step_after_a_failure(aws: Aws, durable: Start) -> None:
    """A handler that expects failures goes on after one, and the record still tells it."""
    execution = durable(handler, {"day": "Monday"})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(3)
    aws.report()
    assert execution.result()["published"].startswith("no report: ApplicationFailed")
    assert (aws.record().status, aws.record().is_open) == ("FAILED", False)
