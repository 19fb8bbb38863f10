from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from local.gateway import Call, Drop, Kill, Refuse
from local.journal import Delivery
from local.system import System
from tests.e2e.user import User
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=[False, True], ids=["processes", "threads"])
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """The local system, with functions and workers as processes, and as threads."""
    with System(time_scale=100, durable_scale=10, in_process=request.param) as running:
        yield running


@pytest.fixture(autouse=True)
def _mended(system: System) -> Iterator[None]:
    """Let nothing go wrong after the test."""
    yield
    system.seams.clear()


def run(system: System) -> dict[str, Any]:
    """Run an EventBridge execution to its end and return it."""
    user = User(system)
    return user.ended(user.start("eventbridge", processingTime=0))


def calls(system: System, execution: dict[str, Any]) -> list[Call]:
    """Return the calls that were made for an execution."""
    wanted = execution["DurableExecutionArn"].rpartition("/")[2]
    made = system.journal.entries(Call)
    return [call for call in made if call.execution_id == wanted]


def test_calls_are_known(system: System) -> None:
    """Each call is known by its caller, its execution, its operation and its number."""
    execution = run(system)
    assert execution["Status"] == "SUCCEEDED"
    made = calls(system, execution)
    orchestrator = execution["FunctionArn"].split(":")[6]
    asked = [call.operation for call in made if call.caller == orchestrator]
    # Not every process has to ask for the network.
    uncertain = {"CheckpointDurableExecution", "GetParameter"}
    assert [name for name in asked if name not in uncertain] == [
        "PutItem",
        "RunTask",
        "UpdateItem",
    ]
    assert [call.number for call in made if call.caller == orchestrator][:2] == [1, 2]
    task_state = system.stack.outputs["TaskStateFunctionArn"].split(":")[6]
    answers = [call.operation for call in made if call.caller == task_state]
    assert "SendDurableExecutionCallbackSuccess" in answers
    worker = [call.operation for call in made if call.caller.startswith("family:")]
    assert worker == ["UpdateItem"]


def test_user_is_refused(system: System) -> None:
    """A user's call can be refused, exactly as often as asked for."""
    client = system.account.client("lambda")
    system.seams.inject(
        Refuse("ServiceException", "no", HTTPStatus.NOT_FOUND), operation="GetFunction"
    )
    with pytest.raises(ClientError, match="ServiceException"):
        client.get_function(FunctionName="any")


def test_user_gets_no_answer(system: System) -> None:
    """A connection can break before or after the call is served."""
    table = system.stack.outputs["CallbackTableName"]
    client = system.account.client("dynamodb")
    system.seams.inject(Drop(), times=20, operation="PutItem", caller="user")
    item = {"executionId": {"S": "dropped"}}
    with pytest.raises(ConnectionClosedError):
        client.put_item(TableName=table, Item=item)
    assert "Item" not in client.get_item(TableName=table, Key=item)
    system.seams.clear()
    system.seams.inject(Drop(after=True), times=20, operation="PutItem", caller="user")
    with pytest.raises(ConnectionClosedError):
        client.put_item(TableName=table, Item=item)
    assert "Item" in client.get_item(TableName=table, Key=item)
    client.delete_item(TableName=table, Key=item)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_function_is_killed(system: System, after: bool) -> None:
    """A function that dies at its RunTask is invoked again, and one task is started."""
    system.seams.inject(Kill(after=after), operation="RunTask")
    execution = run(system)
    assert execution["Status"] == "SUCCEEDED"
    # The record is created twice: the first time before the kill, the second after it.
    assert [call.operation for call in calls(system, execution)].count("PutItem") >= 2
    result = json.loads(execution["Result"])
    started = [
        task["taskArn"]
        for task in (task.describe() for task in system.tasks.all())
        if result["executionId"] in task["startedBy"]
    ]
    assert started == [result["taskArn"]]


def test_worker_is_killed(system: System) -> None:
    """A worker that dies at its own write fails its execution with exit code 137."""
    [definition] = system.stack.of_type("AWS::ECS::TaskDefinition").values()
    system.seams.inject(Kill(), caller=f"family:{definition['Family']}", operation="UpdateItem")
    execution = run(system)
    assert execution["Status"] == "FAILED"
    assert json.loads(execution["Error"]["ErrorData"])["exitCode"] == 137


@pytest.mark.parametrize("delays", [[0, 0], [0, 40]], ids=["doubled", "late again"])
def test_events_come_twice(system: System, delays: list[float]) -> None:
    """Each event can be delivered twice, at once or later; the execution ends once."""
    system.seams.delays = lambda _: delays
    execution = run(system)
    assert execution["Status"] == "SUCCEEDED"
    key = json.loads(execution["Result"])["executionId"]
    until(lambda: _deliveries(system, key) == 4, system.journal.wait_for)


def test_events_are_lost(system: System) -> None:
    """A lost event is not delivered; the next one of the task ends the execution."""
    system.seams.delays = lambda event: (
        [] if event["detail"].get("lastStatus") == "DEPROVISIONING" else [0]
    )
    execution = run(system)
    assert execution["Status"] == "SUCCEEDED"
    assert _deliveries(system, json.loads(execution["Result"])["executionId"]) == 1


def _deliveries(system: System, execution_id: str) -> int:
    events = (delivery.event for delivery in system.journal.entries(Delivery))
    return sum(execution_id in event["detail"].get("startedBy", "") for event in events)
