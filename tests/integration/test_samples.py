from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.updates import serialized
from core.correlation import Correlation, family
from core.flow import Flow
from core.record import Status
from tests.integration.aws import ENVIRONMENT, hand
from tests.samples import TASK_EVENTS, environment, samples
from tests.values import job, record

if TYPE_CHECKING:
    import pytest

    from tests.integration.aws import Aws


def launched(task: dict[str, Any]) -> None:
    """Leave the table as the launch of a sample's task would."""
    correlation = Correlation.parse(task["startedBy"])
    if correlation is None:
        return
    [container] = task["overrides"]["containerOverrides"]
    variables = {pair["name"]: pair["value"] for pair in container["environment"]}
    stored = record(
        execution_id=correlation.execution_id,
        flow=Flow(variables["EXECUTION_FLOW"]),
        status=Status.RUNNING,
        attempt=correlation.attempt,
        job=job(family=family(task), container=container["name"]),
        task_arn=task["taskArn"],
    )
    item = serialized(stored.to_item())
    hand("dynamodb").put_item(TableName=ENVIRONMENT["TABLE_NAME"], Item=item)


def test_task_events(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task-state function does with each sample, in their order, what the README says."""
    tables = {"TABLE_NAME", "IDEMPOTENCY_TABLE"}
    for name, value in environment().items():
        if name not in tables:
            monkeypatch.setenv(name, value)
    for answer in ("Success", "Failure"):
        aws.answer_with(f"lambda.SendDurableExecutionCallback{answer}", *[{}] * 9)
    events = {name: (sample.read(), sample.cells) for name, sample in samples(TASK_EVENTS).items()}
    for event, _ in events.values():
        launched(event["detail"])
    done = {name: aws.deliver(event)["done"] for name, (event, _) in events.items()}
    assert done == {name: cells["Done"] for name, (_, cells) in events.items()}


def test_no_record(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample whose execution has no record is ignored for that."""
    for name, value in (environment() | {"TABLE_NAME": ENVIRONMENT["TABLE_NAME"]}).items():
        monkeypatch.setenv(name, value)
    event = samples(TASK_EVENTS)["exit-0.json"].read()
    assert aws.deliver(event) == {"done": "ignored: no record"}
