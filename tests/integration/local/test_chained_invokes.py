from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.gateway import Kill
from local.journal import Invocation
from local.system import System
from tests.e2e.user import User
from tests.integration.local import chaining
from tests.integration.local.queues import Queue
from tests.integration.local.shapes import conforming

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 70


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user whose stack has functions that invoke functions, as threads."""
    own = chaining.written(tmp_path_factory.mktemp("stack"))
    with System(own, time_scale=100, durable_scale=10, in_process=True) as system:
        conforming(system.account.client("lambda"))
        yield User(system)


def invoking(user: User, function: str, payload: Any) -> str:
    """Start an execution that invokes a function and return its ARN."""
    return user.invoke("parent:live", {"function": function, "payload": payload})


def children(user: User) -> list[str]:
    """Return the ARNs of the executions of the function that the others invoke, oldest first."""
    listed = user.durable.list_durable_executions_by_function(
        FunctionName="child", ReverseOrder=True
    )
    return [execution["DurableExecutionArn"] for execution in listed["DurableExecutions"]]


def child_of(user: User, arn: str) -> str:
    """Wait for the execution that another one has started and return its ARN."""
    return str(
        user.wait(lambda: user.details(arn, "ChainedInvokeStarted").get("DurableExecutionArn"))
    )


@pytest.mark.parametrize("qualifier", ["live", "1", "$LATEST"])
def test_result(user: User, qualifier: str) -> None:
    """A durable function that invokes another one gets the result of its execution."""
    arn = invoking(user, f"child:{qualifier}", {"order": 7})
    assert user.result(arn) == {"result": {"order": 7}}
    succeeded = user.details(arn, "ChainedInvokeSucceeded")
    assert json.loads(succeeded["Result"]["Payload"]) == {"order": 7}


def test_payload_that_is_no_json(user: User) -> None:
    """A payload that no function can read fails the invoke, in Lambda's words."""
    arn = user.invoke("parent:live", {"function": "plain", "payload": "no JSON", "raw": True})
    assert user.result(arn)["type"] == "InvalidRequestContentException"


def test_payload_that_is_nested_too_deeply(user: User) -> None:
    """A payload of too many levels fails the invoke as one that is no JSON."""
    payload = "[" * 50_000 + "]" * 50_000
    arn = user.invoke("parent:live", {"function": "plain", "payload": payload, "raw": True})
    assert "nested deeper than" in user.result(arn)["message"]


def test_result_that_is_nested_too_deeply(user: User) -> None:
    """A result with too many levels fails its function, with the reason."""
    error = user.result(invoking(user, "plain:live", {"levels": 300}))
    assert error["type"] == "Runtime.MarshalError"
    assert "nested deeper than" in error["message"]


def test_functions_that_wait_for_functions(user: User) -> None:
    """Many invocations that wait for another function's leave threads for those."""
    begun = [user.invoke("caller:live", number) for number in range(30)]
    assert [user.ended(arn)["Result"] for arn in begun] == [str(number) for number in range(30)]


def test_child_is_an_execution(user: User) -> None:
    """A child is an execution of the version that its alias names, within its function's limits."""
    function = user.system.functions["child"].configuration.arn
    arn = invoking(user, f"{function}:live", {"order": 7})
    user.result(arn)
    child = user.execution(child_of(user, arn))
    prefix = f"{function}:1/durable-execution/{child['DurableExecutionName']}/"
    assert child["DurableExecutionArn"].startswith(prefix)
    assert child["FunctionArn"] == f"{function}:1"
    assert json.loads(child["InputPayload"]) == {"order": 7}
    assert child["DurableConfig"] == {"ExecutionTimeout": 86400, "RetentionPeriodInDays": 3}
    listed = user.durable.list_durable_executions_by_function(
        FunctionName="child", Qualifier="1", DurableExecutionName=child["DurableExecutionName"]
    )
    [summary] = listed["DurableExecutions"]
    assert summary["DurableExecutionArn"] == child["DurableExecutionArn"]


def test_status_events(user: User) -> None:
    """A child's status is published when it begins and when it ends."""
    published = Queue(user, "UndeliveredEventsQueueUrl")
    events = user.client("events")
    pattern = {"detail": {"functionArn": [f"{user.system.functions['child'].configuration.arn}:1"]}}
    events.put_rule(Name="children", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="children", Targets=[{"Id": "1", "Arn": published.arn}])
    arn = invoking(user, "child:live", {})
    told = [json.loads(message["Body"])["detail"] for message in published.first(2)]
    assert [detail["status"] for detail in told] == ["RUNNING", "SUCCEEDED"]
    assert {detail["durableExecutionArn"] for detail in told} == {child_of(user, arn)}
    events.remove_targets(Rule="children", Ids=["1"])
    events.delete_rule(Name="children")


def test_failed(user: User) -> None:
    """A child's failure reaches its parent with its message and its data."""
    arn = invoking(user, "child:live", {"fails": "Sold out"})
    error = user.result(arn)
    assert error["message"] == "Sold out"
    assert json.loads(error["data"]) == {"fails": "Sold out"}
    assert (
        user.details(arn, "ChainedInvokeFailed")["Error"]["Payload"]["ErrorMessage"] == "Sold out"
    )
    assert user.execution(child_of(user, arn))["Status"] == "FAILED"


def test_failed_task(user: User) -> None:
    """A parent of the EventBridge flow learns from the error's data how the task ended."""
    flow = user.function("eventbridge")
    arn = invoking(user, flow, {"processingTime": 0, "simulate": {"exitCode": 3}})
    ended = json.loads(user.result(arn)["data"])
    assert (ended["kind"], ended["exitCode"]) == ("ApplicationFailed", 3)
    assert ended["executionId"] == child_of(user, arn).rpartition("/")[2]


def test_timed_out(user: User) -> None:
    """A child that lasts longer than its function allows is a timeout to its parent."""
    arn = invoking(user, "brief:live", {"asks": "Go on?"})
    assert user.result(arn)["type"] == "ChainedInvoke.Timeout"
    assert (
        user.details(arn, "ChainedInvokeTimedOut")["Error"]["Payload"]["ErrorType"]
        == "ChainedInvoke.Timeout"
    )
    assert user.execution(child_of(user, arn))["Status"] == "TIMED_OUT"


def test_stopped(user: User) -> None:
    """A child that somebody stops gives its parent the error that came with the stop."""
    arn = invoking(user, "child:live", {"asks": "Go on?"})
    error = {"ErrorType": "Cancelled", "ErrorMessage": "Ordered twice", "ErrorData": "7"}
    user.durable.stop_durable_execution(DurableExecutionArn=child_of(user, arn), Error=error)
    assert user.result(arn) == {"type": "Cancelled", "message": "Ordered twice", "data": "7"}
    assert user.details(arn, "ChainedInvokeStopped")["Error"]["Payload"] == error


def test_parent_is_told(user: User) -> None:
    """A failed child whose parent learns of it leaves no dead letter; another execution does."""
    letters = Queue(user, "FailedExecutionsQueueUrl")
    user.result(invoking(user, "child:live", {"fails": "Told"}))
    # Whatever was kept of the child is in the queue before what is kept of this one.
    last = user.invoke("child:live", {"fails": "Kept"})
    letters.first(RequestID=last.rpartition("/")[2])
    assert [json.loads(message["Body"]) for message in letters.messages] == [{"fails": "Kept"}]


@pytest.mark.parametrize("function", ["plain", "plain:live"])
def test_plain_function(user: User, function: str) -> None:
    """A durable function that invokes a plain one gets what one invocation returns."""
    arn = invoking(user, function, {"order": 7})
    assert user.result(arn) == {"result": {"order": 7}}
    assert "DurableExecutionArn" not in user.details(arn, "ChainedInvokeStarted")


def test_failed_plain_function(user: User) -> None:
    """The error of a plain function reaches the durable function that invoked it."""
    arn = invoking(user, "plain:live", {"fails": "Sold out"})
    assert user.result(arn) == {"type": "ValueError", "message": "Sold out", "data": None}


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("child", "InvalidParameterValueException"),
        ("child:other", "ResourceNotFoundException"),
        ("plain:7", "ResourceNotFoundException"),
        ("nobody:live", "ResourceNotFoundException"),
    ],
)
def test_refused(user: User, function: str, kind: str) -> None:
    """A durable function without a qualifier, or one that is not there, is refused at once."""
    arn = invoking(user, function, {})
    assert user.result(arn)["type"] == kind
    types = [event["EventType"] for event in user.history(arn)]
    assert types.count("InvocationCompleted") == 1


def test_killed_parent(user: User) -> None:
    """A parent that is killed as it invokes a function has started one execution of it."""
    already = len(children(user))
    kill = Kill(after=True)
    user.system.seams.inject(kill, caller="parent", operation="CheckpointDurableExecution")
    arn = invoking(user, "child:live", {"order": 7})
    assert user.result(arn) == {"result": {"order": 7}}
    invocations = user.system.journal.entries(Invocation)
    assert "Unhandled" in {i.error for i in invocations if i.function == "parent"}
    assert children(user)[already:] == [child_of(user, arn)]


def test_stopped_parent(user: User) -> None:
    """A child runs on when its parent is stopped."""
    arn = invoking(user, "child:live", {"asks": "Go on?"})
    child = child_of(user, arn)
    user.durable.stop_durable_execution(DurableExecutionArn=arn)
    asked = user.details(child, "CallbackStarted")["CallbackId"]
    user.durable.send_durable_execution_callback_success(CallbackId=asked, Result=b"Yes")
    assert json.loads(user.ended(child)["Result"]) == "Yes"
    assert user.execution(arn)["Status"] == "STOPPED"


def test_many(user: User) -> None:
    """A parent may wait for more children than there are threads."""
    arn = user.invoke("batch:live", {"function": "child:live", "count": MANY})
    execution = user.ended(arn)
    assert json.loads(execution["Result"]) == list(range(MANY))


def test_processes(tmp_path: Path) -> None:
    """Functions that are processes invoke one another, too."""
    with System(chaining.written(tmp_path), time_scale=100, durable_scale=10) as system:
        user = User(system)
        results = [
            user.result(invoking(user, function, {"order": 7}))
            for function in ("child:live", "plain")
        ]
        failures = [
            user.result(invoking(user, function, {"fails": "Sold out"}))
            for function in ("child:live", "plain")
        ]
    assert results == [{"result": {"order": 7}}] * 2
    assert [failure["message"] for failure in failures] == ["Sold out"] * 2
