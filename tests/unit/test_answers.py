"""The answers that pages show are those that the flows give."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_durable_execution_sdk_python.lambda_service import ErrorObject

from adapters.records import Records
from adapters.settings import OrchestratorSettings
from core.conclusion import Conclusion
from core.correlation import Correlation
from core.evidence import Evidence, console_link, log_stream
from core.flow import Flow
from core.outcome import Succeeded, from_dict
from core.record import Status
from orchestrator.errors import TaskFailedError
from orchestrator.execution import Execution
from orchestrator.steps import finish
from tests.markdown import Page
from tests.template import ROOT
from tests.values import launch, parsed
from worker.assignment import Assignment
from worker.work import work

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext

README = Page(ROOT / "README.md")
FLOWS = Page(ROOT / "docs" / "flows.md")
EXECUTION_TIMEOUT = 86_400


def example(page: Page, comment: str) -> dict[str, Any]:
    """The JSON block of a page that a comment introduces."""
    [text] = [f.text for f in page.fences if f.before == f"<!-- {comment} -->"]
    return dict(json.loads(text))


def execution(fields: dict[str, Any]) -> Execution:
    """The execution that gives an answer with these fields."""
    flow = Flow(fields["flow"])
    correlation = Correlation("lambda-ecs-durable-demo", fields["executionId"], fields["attempt"])
    work = parsed({}, flow, EXECUTION_TIMEOUT)
    asked = launch(execution_arn="arn", correlation=correlation, flow=flow, job=work.job)
    settings = OrchestratorSettings(
        stack_name=correlation.stack,
        cluster_arn="arn:aws:ecs:us-east-1:123456789012:cluster/lambda-ecs-durable-demo-cluster",
        task_family="lambda-ecs-durable-demo-worker",
        container_name="worker",
        table_name="lambda-ecs-durable-demo-callbacks",
        data_bucket="lambda-ecs-durable-demo-databucket-0ab1cd2ef3gh",
        record_retention_days=30,
        task_log_group="/ecs/lambda-ecs-durable-demo",
        task_log_prefix="worker",
        log_tail="yes",
        network_parameter="CFN-NetworkParameter-0aB1cD2eF3gH",
        execution_timeout=EXECUTION_TIMEOUT,
        data_retention_days=400,
    )
    return Execution("arn", work, asked, settings, Records.of(settings))


@pytest.mark.parametrize("page", [README, FLOWS], ids=["README", "flows"])
def test_returned(page: Page) -> None:
    """The example of a result is what the flows return."""
    returned = example(page, "returned")
    outcome = Succeeded(
        task_arn=returned["taskArn"],
        exit_code=returned["exitCode"],
        started_at=returned["startedAt"],
        stopped_at=returned["stoppedAt"],
    )
    context = cast("DurableContext", SimpleNamespace(logger=logging.getLogger(__name__)))
    conclusion = Conclusion(outcome, returned["result"])
    assert finish(context, execution(returned), conclusion) == returned


def test_returned_at_once() -> None:
    """The example of the DynamoDB flow's answer has what every answer has, and no outcome."""
    answer = example(FLOWS, "returned at once")
    facts = execution(answer).facts
    assert answer == {**facts, "taskArn": answer["taskArn"], "status": Status.RUNNING}


def test_failed() -> None:
    """The example of a failed execution is the error that Lambda shows."""
    shown = example(FLOWS, "failed")
    data = json.loads(shown["ErrorData"])
    outcome, failed = from_dict(data), execution(data)
    group, prefix = failed.settings.task_log_group, failed.settings.task_log_prefix
    stream = log_stream(prefix, failed.work.job.container, data["taskArn"])
    left = Evidence(group, stream, console_link(data["taskArn"]), tuple(data["logTail"]))
    error = TaskFailedError.of(Conclusion(outcome, evidence=left), failed.facts)
    assert ErrorObject.from_exception(error).to_dict() == shown


def test_result_of_the_worker() -> None:
    """The example's result is one of the demo's worker."""
    result = work(Assignment("id", "eventbridge", 1, "Hello, EventBridge", 0))
    assert isinstance(result, dict)
    shown = example(FLOWS, "returned")["result"]
    assert list(shown) == list(result)
    assert shown["message"] == result["message"]
