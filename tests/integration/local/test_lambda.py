from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import until

if TYPE_CHECKING:
    from local.system import System


def flow(system: System) -> str:
    """Return the EventBridge flow's function by its alias."""
    return system.stack.outputs["EventBridgeLambdaFunctionArn"]


def start(system: System, lambda_: Any, name: str, **payload: Any) -> str:
    """Start an execution and return its ARN."""
    answer = lambda_.invoke(
        FunctionName=flow(system),
        InvocationType="Event",
        DurableExecutionName=name,
        Payload=json.dumps(payload),
    )
    return str(answer["DurableExecutionArn"])


def callback(system: System, lambda_: Any, arn: str) -> str:
    """Wait until an execution has a callback, and return its id."""

    def created() -> str | None:
        events = lambda_.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        details = (event.get("CallbackStartedDetails") for event in events)
        return next((d["CallbackId"] for d in details if d), None)

    return str(until(created, system.journal.wait_for))


def test_qualifier_is_required(system: System, lambda_: Any) -> None:
    """A durable function is invoked with a qualifier that exists, or not at all."""
    unqualified = flow(system).removesuffix(":live")
    with pytest.raises(lambda_.exceptions.InvalidParameterValueException, match="unqualified"):
        lambda_.invoke(FunctionName=unqualified, InvocationType="Event", Payload="{}")
    for unknown in (f"{unqualified}:other", f"{unqualified}-other:live"):
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.invoke(FunctionName=unknown, InvocationType="Event", Payload="{}")


def test_synchronous_call_is_too_short(system: System, lambda_: Any) -> None:
    """An execution that may last longer than 15 minutes cannot be waited for in the call."""
    with pytest.raises(lambda_.exceptions.InvalidParameterValueException, match="15 minutes"):
        lambda_.invoke(FunctionName=flow(system), Payload="{}")


def test_name_is_taken(system: System, lambda_: Any) -> None:
    """An execution's name starts it once: again with another payload is refused."""
    payload = {"message": "x", "processingTime": "refused"}
    assert start(system, lambda_, "taken", **payload) == start(system, lambda_, "taken", **payload)
    with pytest.raises(lambda_.exceptions.DurableExecutionAlreadyStartedException):
        start(system, lambda_, "taken", message="y")


def test_arn(system: System, lambda_: Any) -> None:
    """An execution's ARN names function, version, execution and id, as AWS's does."""
    arn = start(system, lambda_, "named", processingTime="refused")
    function, _, rest = arn.partition("/durable-execution/")
    assert function == flow(system).removesuffix("live") + "1"
    assert rest.startswith("named/")
    found = lambda_.get_durable_execution(DurableExecutionArn=arn)
    assert (found["DurableExecutionArn"], found["DurableExecutionName"]) == (arn, "named")


def test_closed_callback(system: System, lambda_: Any) -> None:
    """A callback takes one answer; after it, and after a stop, it is closed."""
    answered = start(system, lambda_, "answered", processingTime=0)
    first = callback(system, lambda_, answered)
    lambda_.send_durable_execution_callback_success(CallbackId=first, Result=b'"by hand"')
    stopped = start(system, lambda_, "stopped", processingTime=0)
    second = callback(system, lambda_, stopped)
    lambda_.stop_durable_execution(DurableExecutionArn=stopped)
    for closed in (first, second):
        with pytest.raises(lambda_.exceptions.CallbackTimeoutException):
            lambda_.send_durable_execution_callback_failure(CallbackId=closed)


def test_unknown_callback(lambda_: Any) -> None:
    """An answer to a callback that never was is refused."""
    with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
        lambda_.send_durable_execution_callback_success(CallbackId="bm9ib2R5", Result=b"1")


def test_failing_event_is_kept(system: System, lambda_: Any) -> None:
    """An event that a function fails on three times is found in the queue of its destination."""
    function = system.stack.outputs["TaskStateFunctionArn"]
    lambda_.invoke(FunctionName=function, InvocationType="Event", Payload='{"detail": 5}')
    sqs, url = system.account.client("sqs"), system.stack.outputs["UnprocessedEventsQueueUrl"]
    found = until(
        lambda: sqs.receive_message(QueueUrl=url).get("Messages"), system.journal.wait_for
    )
    record = json.loads(found[0]["Body"])
    assert record["requestPayload"] == {"detail": 5}
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorType"] == "AttributeError"


def test_synchronous_invocation(system: System, lambda_: Any) -> None:
    """A plain function answers in the call, and its error is told as a function error."""
    answer = lambda_.invoke(
        FunctionName=system.stack.outputs["TaskStateFunctionArn"], Payload='{"detail": 5}'
    )
    assert (answer["FunctionError"], answer["ExecutedVersion"]) == ("Unhandled", "1")
    assert json.loads(answer["Payload"].read())["errorType"] == "AttributeError"
