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
from core.flow import Flow
from core.outcome import Succeeded, from_dict
from core.polling import longest_wait, poll_delay
from core.record import Status
from local.demo.cases import ROWS
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
EXECUTION_TIMEOUT = 86_400


def example(comment: str) -> dict[str, Any]:
    """The JSON block of README that a comment introduces."""
    [text] = [f.text for f in README.fences if f.before == f"<!-- {comment} -->"]
    return dict(json.loads(text))


def execution(fields: dict[str, Any]) -> Execution:
    """An execution as an example of README tells of it."""
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


@pytest.mark.parametrize("flow", Flow)
def test_payloads(flow: Flow) -> None:
    """Every JSON block of README that is no example of an answer is a payload for any flow."""
    answers = [f for f in README.fences if f.before.startswith("<!-- ")]
    payloads = [f for f in README.fences if f.language == "json" and f not in answers]
    assert payloads
    for payload in payloads:
        parsed(json.loads(payload.text), flow, EXECUTION_TIMEOUT)


def test_returned() -> None:
    """The example of a result is what the flows return."""
    returned = example("returned")
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
    answer = example("returned at once")
    facts = execution(answer).facts
    assert answer == {**facts, "taskArn": answer["taskArn"], "status": Status.RUNNING}


def test_failed() -> None:
    """The example of a failed execution is the error that Lambda shows."""
    shown = example("failed")
    data = json.loads(shown["ErrorData"])
    error = TaskFailedError.of(Conclusion(from_dict(data)), execution(data).facts)
    assert ErrorObject.from_exception(error).to_dict() == shown


def test_result_of_the_worker() -> None:
    """The example's result is one of the demo's worker."""
    result = work(Assignment("id", "eventbridge", 1, "Hello, EventBridge", 0))
    assert isinstance(result, dict)
    shown = example("returned")["result"]
    assert list(shown) == list(result)
    assert shown["message"] == result["message"]


def test_layout() -> None:
    """The layout names every part of the source, and every folder beside it that a user meets."""
    paths = {shown.strip("[]/").partition("]")[0] for shown, _ in README.table("Path")}
    parts = {f"src/{p.name}" for p in (ROOT / "src").iterdir() if (p / "__init__.py").exists()}
    assert parts | {"template.yaml", "events", "local", "tests", "docs"} == {
        path.rstrip("/") for path in paths
    }


def test_numbers_of_polling() -> None:
    """README's numbers of polling's reach and operations are the code's."""
    assert f"{longest_wait(None) // 86_400} days" in README.text
    assert f"{longest_wait(None, 3) // 86_400} days each with three" in README.text
    looks = elapsed = 0
    while elapsed < 3_600:
        looks += 1
        elapsed += poll_delay(looks, elapsed, None)
    # The last wait ends in a look; beside looks: execution, launch, wait and close.
    assert f"{looks + 1 + 4} operations for an hour" in README.text


def test_rows_of_the_demo() -> None:
    """The demo's rows on the page are those that it has, in their order, as they have to end."""
    [shown] = [f.text for f in README.fences if "✓" in f.text]
    rows = [line.split() for line in shown.splitlines() if "✓" in line]
    expected = [
        [flow.name, *case.name.split(), case.outcome, str(case.exit_code)] for flow, case in ROWS
    ]
    words = [len(row) - 2 for row in expected]
    # Between task and outcome are the execution, its status and the record's.
    assert [[*row[:n], *row[n + 3 : n + 5]] for n, row in zip(words, rows, strict=True)] == expected
