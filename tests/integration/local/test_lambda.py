from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.user import User


def test_qualifier_is_required(user: User) -> None:
    """A durable function is invoked with a qualifier that exists, or not at all."""
    unqualified = user.function("eventbridge").removesuffix(":live")
    with pytest.raises(user.durable.exceptions.InvalidParameterValueException, match="unqualified"):
        user.durable.invoke(FunctionName=unqualified, InvocationType="Event", Payload="{}")
    for unknown in (f"{unqualified}:other", f"{unqualified}-other:live"):
        with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
            user.durable.invoke(FunctionName=unknown, InvocationType="Event", Payload="{}")


def test_synchronous_call_is_too_short(user: User) -> None:
    """An execution that may last longer than 15 minutes cannot be waited for in the call."""
    with pytest.raises(user.durable.exceptions.InvalidParameterValueException, match="15 minutes"):
        user.durable.invoke(FunctionName=user.function("eventbridge"), Payload="{}")


def test_name_is_taken(user: User) -> None:
    """An execution's name starts it once: again with another payload is refused."""
    payload = {"message": "x", "processingTime": "refused"}
    assert user.start("eventbridge", "taken", **payload) == user.start(
        "eventbridge", "taken", **payload
    )
    with pytest.raises(user.durable.exceptions.DurableExecutionAlreadyStartedException):
        user.start("eventbridge", "taken", message="y")


def test_arn(user: User) -> None:
    """An execution's ARN names function, version, execution and id, as AWS's does."""
    arn = user.start("eventbridge", "named", processingTime="refused")
    function, _, rest = arn.partition("/durable-execution/")
    assert function == user.function("eventbridge").removesuffix("live") + "1"
    assert rest.startswith("named/")
    found = user.durable.get_durable_execution(DurableExecutionArn=arn)
    assert (found["DurableExecutionArn"], found["DurableExecutionName"]) == (arn, "named")


def test_closed_callback(user: User) -> None:
    """A callback takes one answer; after it, and after a stop, it is closed."""
    answered = user.start("eventbridge", "answered", processingTime=0)
    first = user.details(answered, "CallbackStarted")["CallbackId"]
    user.durable.send_durable_execution_callback_success(CallbackId=first, Result=b'"by hand"')
    stopped = user.start("eventbridge", "stopped", processingTime=0)
    second = user.details(stopped, "CallbackStarted")["CallbackId"]
    user.durable.stop_durable_execution(DurableExecutionArn=stopped)
    for closed in (first, second):
        with pytest.raises(user.durable.exceptions.CallbackTimeoutException):
            user.durable.send_durable_execution_callback_failure(CallbackId=closed)


def test_unknown_callback(user: User) -> None:
    """An answer to a callback that does not exist is refused."""
    with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
        user.durable.send_durable_execution_callback_success(CallbackId="bm9ib2R5", Result=b"1")


def test_failing_event_is_kept(user: User) -> None:
    """An event that a function fails on three times is found in the queue of its destination."""
    function = user.outputs["TaskStateFunctionArn"]
    user.durable.invoke(FunctionName=function, InvocationType="Event", Payload='{"detail": 5}')
    sqs, url = user.client("sqs"), user.outputs["UnprocessedEventsQueueUrl"]
    found = user.wait(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    record = json.loads(found[0]["Body"])
    assert record["requestPayload"] == {"detail": 5}
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorType"] == "AttributeError"


def test_synchronous_invocation(user: User) -> None:
    """A plain function answers in the call, and its error is a function error."""
    answer = user.durable.invoke(
        FunctionName=user.outputs["TaskStateFunctionArn"], Payload='{"detail": 5}'
    )
    assert (answer["FunctionError"], answer["ExecutedVersion"]) == ("Unhandled", "1")
    assert json.loads(answer["Payload"].read())["errorType"] == "AttributeError"
