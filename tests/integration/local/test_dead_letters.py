from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.local.queues import Queue

if TYPE_CHECKING:
    from tests.e2e.user import User


@pytest.fixture
def queue(user: User) -> Queue:
    """The queue for failed executions."""
    return Queue(user, "FailedExecutionsQueueUrl")


@pytest.fixture
def durable(user: User) -> dict[str, Any]:
    """The DurableConfig of the EventBridge flow's function."""
    function = user.system.functions[user.function("eventbridge").split(":")[6]]
    config: dict[str, Any] = function.configuration.properties["DurableConfig"]
    return config


def test_failed(user: User, queue: Queue) -> None:
    """The payload of an execution that fails is kept, with what Lambda says of dead letters."""
    arn = user.start("eventbridge", processingTime="long")
    [message] = queue.first(RequestID=arn.rpartition("/")[2])
    assert json.loads(message["Body"]) == {"processingTime": "long"}
    attributes = message["MessageAttributes"]
    assert attributes["ErrorCode"] == {"DataType": "Number", "StringValue": "200"}
    assert attributes["ErrorMessage"]["StringValue"].startswith("processingTime: ")


def test_stopped(user: User, queue: Queue) -> None:
    """The payload of an execution that somebody stops is kept."""
    arn = user.start("eventbridge", processingTime=300)
    error = {"ErrorMessage": "Enough of it"}
    user.durable.stop_durable_execution(DurableExecutionArn=arn, Error=error)
    [message] = queue.first(RequestID=arn.rpartition("/")[2])
    assert json.loads(message["Body"]) == {"processingTime": 300}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "Enough of it"


def test_timed_out(
    user: User, queue: Queue, durable: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payload of an execution that lasts too long is kept."""
    monkeypatch.setitem(durable, "ExecutionTimeout", 1)
    arn = user.start("eventbridge", processingTime=300)
    [message] = queue.first(RequestID=arn.rpartition("/")[2])
    assert json.loads(message["Body"]) == {"processingTime": 300}
    assert user.execution(arn)["Status"] == "TIMED_OUT"


def test_caller_was_told(
    user: User, queue: Queue, durable: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Payloads are kept of neither a success nor a failure whose caller waited for the error."""
    monkeypatch.setitem(durable, "ExecutionTimeout", 600)
    answer = user.durable.invoke(FunctionName=user.function("eventbridge"), Payload="[1]")
    assert answer["FunctionError"] == "Unhandled"
    user.result(user.start("eventbridge", processingTime=0))
    # Whatever was kept of those two is in the queue before what is kept of a third.
    last = user.start("eventbridge", processingTime="later")
    queue.first(RequestID=last.rpartition("/")[2])
    assert len(queue.messages) == 1
