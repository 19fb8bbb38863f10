"""A durable function with steps of its own around a task: copy it, and put yours in."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.errors import TaskFailedError
from orchestrator.eventbridge import run
from orchestrator.handlers import durable_handler
from tests.markdown import Page
from tests.template import ROOT
from worker import report

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


@pytest.fixture
def shown() -> Any:
    """The handler that README shows."""
    [example] = [f for f in Page(ROOT / "README.md").fences if f.language == "python"]
    module: dict[str, Any] = {}
    exec(compile(example.text, "README.md", "exec"), module)  # noqa: S102 - our own page
    return module["handler"]


@pytest.fixture
def etl(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The work of the module `etl` that the worker's page shows."""
    pages = Page(ROOT / "docs" / "worker.md").fences
    [example] = [f for f in pages if f.language == "python" and "def etl" in f.text]
    monkeypatch.setattr(report, "progress", lambda *_: None)
    module: dict[str, Any] = {"__name__": "etl"}
    exec(compile(example.text, "worker.md", "exec"), module)  # noqa: S102 - our own page
    return module["etl"]


def test_handler_of_the_page(aws: Aws, durable: Start, shown: Any, etl: Any) -> None:
    """README's handler and the module `etl` fit: one hands rows over, the other their number."""
    execution = durable(shown, {"day": "Monday"})
    job = aws.wait_for_record(lambda record: record.task_arn).job
    assert job.command == ("python", "-m", "etl")
    result = etl(SimpleNamespace(input=json.loads(job.input or "")))
    aws.rewrite("SET #result = :result", result=json.dumps(result))
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    assert execution.result() == {"report": "3 rows"}


def test_failed_task_of_the_page(aws: Aws, durable: Start, shown: Any) -> None:
    """README's handler, which expects no failure, fails with its task."""
    execution = durable(shown, {"day": "Monday"})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(3)
    aws.report()
    _, data = execution.error()
    assert data["kind"] == "ApplicationFailed"
