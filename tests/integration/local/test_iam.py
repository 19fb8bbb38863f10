from __future__ import annotations

import copy
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.errors import TemplateError
from local.events import DeliveryError
from local.system import System
from tests.e2e.user import User
from tests.integration.local import chaining
from tests.integration.local.queues import Queue, values
from tests.integration.local.strangers import Asked
from tests.template import translated, without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON, REST, SQS = (
    ("AccessDeniedException", 400),
    ("AccessDeniedException", 403),
    ("AccessDenied", 403),
)
# Calls that a worker's role does not allow, by their actions: the client's method, its parameters
# with logical ids for names, and the refusal's code and status.
REFUSED: dict[str, tuple[str, dict[str, Any], tuple[str, int]]] = {
    "dynamodb:GetItem": (
        "get_item",
        {"TableName": "CallbackTable", "Key": {"executionId": {"S": "x"}}},
        JSON,
    ),
    "ecs:StopTask": ("stop_task", {"cluster": "Cluster", "task": "0" * 32}, JSON),
    "lambda:InvokeFunction": ("invoke", {"FunctionName": "SyncLambdaFunction"}, REST),
    "logs:GetLogEvents": (
        "get_log_events",
        {"logGroupName": "TaskLogGroup", "logStreamName": "x"},
        JSON,
    ),
    "sqs:SendMessage": (
        "send_message",
        {"QueueUrl": "FailedExecutionsQueue", "MessageBody": "x"},
        SQS,
    ),
    "ssm:GetParameter": ("get_parameter", {"Name": "NetworkParameter"}, JSON),
}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Return what writes a template."""

    def write(template: dict[str, Any]) -> Path:
        path = tmp_path / "template.yaml"
        path.write_text(json.dumps(template))
        return path

    return write


@pytest.fixture
def client(system: System) -> Callable[..., Any]:
    """Return what makes a client of a service, for somebody with a role."""
    callers = []

    def made(service: str, role: str | None) -> Any:
        caller = system.callers.new("mine", role)
        callers.append(caller)
        return boto3.client(
            service,
            region_name=system.stack.region,
            endpoint_url=system.endpoint,
            aws_access_key_id=caller.access_key,
            aws_secret_access_key=caller.secret,
        )

    return made


@pytest.mark.parametrize("action", REFUSED)
def test_refused_calls(system: System, client: Callable[..., Any], action: str) -> None:
    """A call that its role does not allow is refused as each service does it."""
    service = action.partition(":")[0]
    call, given, expected = REFUSED[action]
    physical = {name: physical for name, physical, _ in system.stack.resources()}
    parameters = {name: physical.get(str(value), value) for name, value in given.items()}
    with pytest.raises(ClientError) as refused:
        getattr(client(service, "TaskRole"), call)(**parameters)
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == expected
    message = answer["Error"]["Message"]
    assert message.startswith(
        f"User: arn:aws:sts::123456789012:assumed-role/{system.stack.name}-TaskRole/mine is not "
        f"authorized to perform: {action} on resource: arn:aws:{service}:{system.stack.region}:"
    )
    assert f"AccessDenied: {message}" in system.authority.refused()


def test_columns(system: System, client: Callable[..., Any]) -> None:
    """A worker can write the columns of its grant, and is refused every other one."""
    table = client("dynamodb", "TaskRole")
    written = {
        "TableName": system.stack.outputs["CallbackTableName"],
        "Key": {"executionId": {"S": "a-record"}},
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":value": {"S": "x"}},
    }
    table.update_item(**written, UpdateExpression="SET #status = :value")
    with pytest.raises(table.exceptions.ClientError, match="dynamodb:UpdateItem"):
        table.update_item(**written, UpdateExpression="SET #status = :value, taskArn = :value")
    with pytest.raises(table.exceptions.ClientError, match="dynamodb:UpdateItem"):
        table.update_item(
            **written, UpdateExpression="SET #status = :value", ReturnValues="ALL_OLD"
        )


@pytest.mark.parametrize(
    ("query", "text"), [("?Action=DeleteItem", ""), ("", "&Action=DeleteItem&"), ("", "a&b=é%20")]
)
def test_operation_in_another_place(system: System, query: str, text: str) -> None:
    """A request does what its target says, whatever else in it looks like an operation."""
    key = {"executionId": {"S": f"a-record{query}{text}"}}
    table = system.stack.outputs["CallbackTableName"]
    asked = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET #status = :value",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":value": {"S": text}},
    }
    worker = system.callers.new("mine", "TaskRole")
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.UpdateItem",
    }
    body = json.dumps(asked, ensure_ascii=False)
    request = Asked(f"{system.endpoint}/{query}", "POST", headers, body)
    answer = request.signed(worker.access_key, worker.secret, "dynamodb").send()
    assert answer.status == HTTPStatus.OK
    stored = system.account.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    assert stored == {**key, "status": {"S": text}}


@pytest.mark.parametrize(
    ("path", "message"),
    [("TraceSegments", None), ("TraceSummaries", "what IAM checks for GetTraceSummaries of xray")],
)
def test_operation_of_a_path(system: System, path: str, message: str | None) -> None:
    """A request to a service with paths does what its path says, whatever its target says."""
    function = system.callers.new("mine", "SyncRole")
    headers = {"Content-Type": "application/json", "X-Amz-Target": "x.PutTraceSegments"}
    body = json.dumps({"TraceSegmentDocuments": [], "StartTime": 0, "EndTime": 1})
    request = Asked(f"{system.endpoint}/{path}", "POST", headers, body)
    answer = request.signed(function.access_key, function.secret, "xray").send()
    assert (answer.status == HTTPStatus.OK) == (message is None), answer.body
    assert message is None or message in answer.message


@pytest.mark.parametrize(("role", "is_refused"), [("SyncRole", True), ("", True), (None, False)])
def test_unknown_calls(
    system: System, client: Callable[..., Any], role: str | None, is_refused: bool
) -> None:
    """A call whose checks in AWS are not known here is an error, except for people."""
    described = {"TableName": system.stack.outputs["CallbackTableName"]}
    table = client("dynamodb", role)
    if not is_refused:
        assert "Table" in table.describe_table(**described)
        return
    with pytest.raises(ClientError, match="what IAM checks for DescribeTable of dynamodb") as error:
        table.describe_table(**described)
    message = error.value.response["Error"]["Message"]
    assert f"Unknown: {message}" in system.authority.refused()


@pytest.mark.parametrize(
    ("holder", "action", "role"),
    [
        ("SyncRole", "sts:AssumeRole", "SyncRole"),
        ("OrchestratorPolicy", "sqs:SendMessage", "SyncRole"),
        ("TaskStateRole", "sqs:SendMessage", "TaskStateRole"),
    ],
)
def test_functions_that_cannot_be_made(
    written: Callable[..., Path], holder: str, action: str, role: str
) -> None:
    """A function whose role cannot be taken, or cannot keep what fails, is refused at the start."""
    with pytest.raises(TemplateError) as refused, System(written(without(holder, action))):
        pass
    assert "cannot be made: AccessDenied: " in str(refused.value)
    assert f"-{role}" in str(refused.value)
    assert action in str(refused.value)


@pytest.mark.parametrize(
    ("holder", "action"),
    [
        ("TaskRole", "sts:AssumeRole"),
        ("TaskExecutionRole", "sts:AssumeRole"),
        ("TaskExecutionRole", "logs:CreateLogStream"),
    ],
)
def test_tasks_that_cannot_start(written: Callable[..., Path], holder: str, action: str) -> None:
    """A task whose roles cannot be taken, or that cannot open its log, fails to start."""
    path = written(without(holder, action))
    with System(path, time_scale=300, durable_scale=100, in_process=True) as system:
        user = User(system)
        error = user.error(user.start("eventbridge", processingTime=0, maxAttempts=1))
        assert error["kind"] == "FailedToStart"
        assert f"not authorized to perform: {action}" in error["detail"]
        assert any(
            holder in refused and action in refused for refused in system.authority.refused()
        )


def test_tasks_that_may_not_be_tagged(written: Callable[..., Path]) -> None:
    """No task is started by a function that may start tasks and may not tag them."""
    path = written(without("OrchestratorPolicy", "ecs:TagResource"))
    with System(path, time_scale=300, durable_scale=100, in_process=True) as system:
        user = User(system)
        error = user.error(user.start("polling", processingTime=0))
        refused = [r for r in system.authority.refused() if "ecs:TagResource" in r]
        assert system.tasks.all() == []
    assert "ecs:TagResource" in error["detail"]
    assert len(refused) == 1
    assert f":task/{system.stack.name}-cluster/*" in refused[0]


def test_lines_that_may_not_be_kept(written: Callable[..., Path]) -> None:
    """A container's output is in no stream if its execution role may not put it there."""
    with System(
        written(without("TaskExecutionRole", "logs:PutLogEvents")), time_scale=300
    ) as system:
        user = User(system)
        arn = user.start("eventbridge", processingTime=0)
        user.result(arn)
        group = system.stack.of_type("AWS::Logs::LogGroup")["EventBridgeLogGroup"]["LogGroupName"]
        logs = system.account.client("logs")
        # These lines came later.
        user.wait(lambda: logs.describe_log_streams(logGroupName=group)["logStreams"])
        own = system.stack.outputs["LogGroupName"]
        assert logs.describe_log_streams(logGroupName=own)["logStreams"] == []


def test_segments_that_may_not_be_sent(written: Callable[..., Path]) -> None:
    """A function whose role may send no segment works, and its segments are not kept."""
    path = written(without("TracingPolicy", "xray:PutTraceSegments"))
    with System(path, time_scale=100, durable_scale=100, in_process=True) as system:
        user = User(system)
        user.ended(user.start("dynamodb", processingTime=0))
        assert system.traces.all() == []
        assert any("xray:PutTraceSegments" in refused for refused in system.authority.refused())


def test_rule_without_permission(written: Callable[..., Path]) -> None:
    """An event of a rule that may not invoke its target is kept at once."""
    template = copy.deepcopy(translated())
    del template["Resources"]["TaskStateFunctionTaskStateChangePermission"]
    with System(written(template), time_scale=300, in_process=True) as system:
        user = User(system)
        undelivered = Queue(user, "UndeliveredEventsQueueUrl")
        user.start("eventbridge", processingTime=0)
        [message] = undelivered.first(ERROR_CODE="NO_PERMISSIONS")
        assert "lambda:InvokeFunction" in values(message)["ERROR_MESSAGE"]


def test_queue_that_does_not_let_rules(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undelivered event is lost if the queue's policy does not let EventBridge keep it."""

    def missing(*_: object) -> None:
        raise DeliveryError("NO_RESOURCE", "Gone", is_transient=False)

    path = written(without("UndeliveredEventsQueuePolicy", "sqs:SendMessage"))
    with System(path, time_scale=300, in_process=True) as system:
        monkeypatch.setattr(system.deliveries, "deliver", missing)
        user = User(system)
        user.start("eventbridge", processingTime=0)
        [refused] = user.wait(system.authority.refused)
    assert refused.startswith("AccessDenied: Service: events.amazonaws.com for arn:aws:events:")
    assert "sqs:SendMessage" in refused


def test_child_that_may_not_be_invoked(tmp_path: Path) -> None:
    """A durable function that may not invoke another one learns that in AWS's words."""
    path = chaining.written(tmp_path)
    path.write_text(path.read_text().replace("lambda:InvokeFunction", "lambda:GetFunction"))
    with System(path, time_scale=100, durable_scale=10, in_process=True) as system:
        user = User(system)
        payload = json.dumps({"function": "child:live", "payload": {}})
        answer = user.durable.invoke(
            FunctionName="parent:live", InvocationType="Event", Payload=payload
        )
        error = user.result(answer["DurableExecutionArn"])
    assert error["type"] == "AccessDeniedException"
    assert "function:child:live because no identity-based policy" in error["message"]
