from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.e2e.user import User

DEEP = f'{{"message": {"[" * 50_000}{"]" * 50_000}}}'


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "ListTables", {}),
        ("ecs", "RunTask", {"taskDefinition": "worker"}),
        ("events", "PutEvents", {"Entries": [{}]}),
        ("logs", "StartQuery", {"startTime": 0, "endTime": 1, "queryString": ""}),
        ("lambda", "StopDurableExecution", {"DurableExecutionArn": "one"}),
    ],
)
def test_request(
    user: User, service: str, operation: str, parameters: dict[str, Any], kind: str
) -> None:
    """A request that is nested too deeply is refused by every service, with the reason."""

    def replace(params: dict[str, Any], **_: object) -> None:
        params["body"], params["headers"]["Content-Type"] = DEEP.encode(), kind

    client: Any = user.system.account.client(service)
    event = f"before-call.{service}.{operation}"
    client.meta.events.register(event, replace)
    try:
        with pytest.raises(ClientError, match="nested deeper than") as refused:
            getattr(client, xform_name(operation))(**parameters)
    finally:
        client.meta.events.unregister(event, replace)
    response = refused.value.response
    assert response["Error"]["Code"] == "SerializationException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("kind", ["Event", "RequestResponse"])
@pytest.mark.parametrize("function", ["TaskStateFunctionArn", "EventBridgeLambdaFunctionArn"])
def test_payload(user: User, function: str, kind: str) -> None:
    """A payload that is nested too deeply is refused, however the function is invoked."""
    refused = user.durable.exceptions.InvalidRequestContentException
    arn = user.system.stack.outputs[function]
    with pytest.raises(refused, match="nested deeper than"):
        user.durable.invoke(FunctionName=arn, InvocationType=kind, Payload=DEEP)


def test_event(user: User) -> None:
    """An event that is nested too deeply is refused as one that is no JSON."""
    entry = {"Source": "shop", "DetailType": "order", "Detail": DEEP}
    answer = user.system.account.client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "MalformedDetail"
