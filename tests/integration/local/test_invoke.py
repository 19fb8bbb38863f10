from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from local.journal import Invocation

if TYPE_CHECKING:
    from tests.e2e.user import User


@pytest.fixture
def short(user: User, monkeypatch: pytest.MonkeyPatch) -> str:
    """The EventBridge flow's function, when its executions may last ten minutes."""
    arn = user.function("eventbridge")
    function = user.system.functions[arn.split(":")[6]]
    durable = function.configuration.properties["DurableConfig"]
    monkeypatch.setitem(durable, "ExecutionTimeout", 600)
    return arn


def test_result_in_the_call(short: str, user: User) -> None:
    """A synchronous call waits for the execution's end and answers its result."""
    payload = json.dumps({"message": "now", "processingTime": 0})
    answer = user.durable.invoke(FunctionName=short, Payload=payload)
    result = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "1")
    assert "FunctionError" not in answer
    assert result["result"]["message"] == "Processed: now"
    assert result == user.result(answer["DurableExecutionArn"])


def test_error_in_the_call(short: str, user: User) -> None:
    """A synchronous call answers the execution's error as a function's error."""
    answer = user.durable.invoke(FunctionName=short, Payload='{"processingTime": "long"}')
    error = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert error["errorType"] == "orchestrator.errors.InvalidPayloadError"
    assert error["errorMessage"].startswith("processingTime:")
    assert json.loads(error["errorData"])["field"] == "processingTime"
    assert user.ended(answer["DurableExecutionArn"])["Status"] == "FAILED"


def test_same_name_in_the_call(short: str, user: User) -> None:
    """A synchronous call under an earlier execution's name answers that one's end."""
    call = {"FunctionName": short, "Payload": "[]", "DurableExecutionName": "once"}
    first, second = (user.durable.invoke(**call) for _ in "12")
    assert first["DurableExecutionArn"] == second["DurableExecutionArn"]
    assert first["Payload"].read() == second["Payload"].read()


@pytest.mark.parametrize("kind", ["Event", "RequestResponse", "DryRun"])
def test_payload_is_no_json(user: User, kind: str) -> None:
    """A payload that is no JSON is refused, however the function is invoked."""
    refused = user.durable.exceptions.InvalidRequestContentException
    function = user.system.stack.outputs["TaskStateFunctionArn"]
    with pytest.raises(refused, match="Could not parse request body into json"):
        user.durable.invoke(FunctionName=function, InvocationType=kind, Payload="{'no': 'json'}")


def test_payload_is_too_large(user: User) -> None:
    """An asynchronous payload of more than a mebibyte is refused."""
    payload = json.dumps("x" * 2**20)
    with pytest.raises(user.durable.exceptions.RequestTooLargeException, match="Event"):
        user.durable.invoke(
            FunctionName=user.function("polling"), InvocationType="Event", Payload=payload
        )


@pytest.mark.parametrize(
    ("name", "constraint"),
    [("not a name", "regular expression pattern"), ("n" * 65, "length less than or equal to 64")],
)
def test_name_of_another_form(user: User, name: str, constraint: str) -> None:
    """An execution's name that AWS's model does not allow is refused, with the reason."""
    with pytest.raises(ClientError, match=constraint) as refused:
        user.start("eventbridge", name=name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_dry_run(user: User) -> None:
    """A dry run checks the request and invokes nothing."""
    function = user.system.stack.outputs["TaskStateFunctionArn"]
    before = len(user.system.journal.entries(Invocation))
    answer = user.durable.invoke(FunctionName=function, InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert len(user.system.journal.entries(Invocation)) == before
    with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
        user.durable.invoke(FunctionName=f"{function}-other", InvocationType="DryRun")


def test_two_qualifiers(user: User) -> None:
    """A qualifier that contradicts the one in the function's ARN is refused."""
    with pytest.raises(user.durable.exceptions.InvalidParameterValueException, match="derived"):
        user.durable.invoke(FunctionName=user.function("polling"), Qualifier="$LATEST")


@pytest.mark.parametrize("form", ["{name}:live", "123456789012:function:{name}:live", "{arn}"])
def test_forms_of_a_function_name(user: User, form: str) -> None:
    """A function is found by its name, its partial ARN and its ARN."""
    arn = user.system.stack.outputs["TaskStateFunctionArn"]
    named = form.format(name=arn.split(":")[6], arn=arn)
    answer = user.durable.invoke(FunctionName=named, InvocationType="DryRun")
    assert answer["ExecutedVersion"] == "1"
