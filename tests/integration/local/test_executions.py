from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.user import User

ERROR = {
    "ErrorMessage": "Ordered twice",
    "ErrorType": "Duplicate",
    "ErrorData": '{"order": 7}',
    "StackTrace": ["here", "there"],
}


@pytest.fixture(scope="module")
def executions(user: User) -> list[str]:
    """ARNs of three executions, oldest first: a failed one, a stopped one, a failed one."""
    arns = [user.start("dynamodb", name=f"listed-{n}", processingTime="x") for n in "13"]
    running = user.start("eventbridge", name="listed-2", processingTime=300)
    user.worker(running)
    user.durable.stop_durable_execution(DurableExecutionArn=running, Error=ERROR)
    for arn in arns:
        user.ended(arn)
    return [arns[0], running, arns[1]]


@pytest.fixture
def stopped(executions: list[str]) -> str:
    """An execution that was stopped with an error."""
    return executions[1]


def listed(user: User, **asked: Any) -> list[str]:
    """Return the names of the DynamoDB flow's executions that begin with "listed"."""
    function = user.function("dynamodb").removesuffix(":live")
    asked = {"FunctionName": function, **asked}
    answer = user.durable.list_durable_executions_by_function(**asked)
    names = [execution["DurableExecutionName"] for execution in answer["DurableExecutions"]]
    return [name for name in names if name.startswith("listed")]


@pytest.mark.usefixtures("executions")
def test_newest_first(user: User) -> None:
    """Executions are listed from the newest, or from the oldest if that is asked for."""
    assert listed(user) == ["listed-3", "listed-1"]
    assert listed(user, ReverseOrder=True) == ["listed-1", "listed-3"]


@pytest.mark.usefixtures("executions")
def test_filters(user: User) -> None:
    """Executions are listed by any of several statuses, by name, by version and by start."""
    assert listed(user, Statuses=["RUNNING", "FAILED"]) == ["listed-3", "listed-1"]
    assert listed(user, Statuses=["RUNNING", "STOPPED"]) == []
    assert listed(user, DurableExecutionName="listed-1") == ["listed-1"]
    assert listed(user, Qualifier="live") == listed(user, Qualifier="1") == listed(user)
    assert listed(user, Qualifier="$LATEST") == []
    now = datetime.now(UTC)
    assert listed(user, StartedAfter=now - timedelta(hours=1), StartedBefore=now) == listed(user)
    assert listed(user, StartedAfter=now + timedelta(hours=1)) == []
    with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
        listed(user, FunctionName="nobody")


@pytest.mark.usefixtures("executions")
def test_pages(user: User) -> None:
    """Pages of executions follow one another without a gap."""
    pages = user.durable.get_paginator("list_durable_executions_by_function").paginate(
        FunctionName=user.function("dynamodb"), PaginationConfig={"PageSize": 1}
    )
    names = [
        execution["DurableExecutionName"]
        for page in pages
        for execution in page["DurableExecutions"]
    ]
    assert [name for name in names if name.startswith("listed")] == ["listed-3", "listed-1"]
    assert len(set(names)) == len(names)


def test_stopped_for_a_reason(user: User, stopped: str) -> None:
    """A stopped execution keeps the whole error that whoever stopped it gave."""
    execution = user.execution(stopped)
    assert (execution["Status"], execution["Error"]) == ("STOPPED", ERROR)
    last = user.durable.get_durable_execution_history(DurableExecutionArn=stopped)["Events"][-1]
    assert last["ExecutionStoppedDetails"]["Error"]["Payload"] == ERROR


def test_stopped_twice(user: User, stopped: str) -> None:
    """A second stop of an execution changes nothing, and answers the time of the first."""
    ended = user.execution(stopped)["EndTimestamp"]
    again = user.durable.stop_durable_execution(DurableExecutionArn=stopped)
    assert again["StopTimestamp"] == ended
    assert user.execution(stopped)["Error"] == ERROR


def test_without_data(user: User, stopped: str) -> None:
    """Payloads, results and errors are shown unless the request excludes them."""
    execution = user.execution(stopped)
    assert execution["ExecutionDataIncluded"]
    assert execution["DurableConfig"]["ExecutionTimeout"] == 86400
    bare = user.durable.get_durable_execution(
        DurableExecutionArn=stopped, IncludeExecutionData=False
    )
    assert not bare["ExecutionDataIncluded"]
    assert execution.keys() - bare.keys() == {"InputPayload", "Error"}


def test_history(user: User) -> None:
    """A history has data unless the request excludes it, in the requested order."""
    arn = user.start("eventbridge", processingTime=0)
    user.result(arn)
    ask = user.durable.get_durable_execution_history
    events = ask(DurableExecutionArn=arn)["Events"]
    assert events[0]["ExecutionStartedDetails"]["Input"]["Payload"]
    assert events[-1]["ExecutionSucceededDetails"]["Result"]["Payload"]
    completed = [e for e in events if e["EventType"] == "InvocationCompleted"]
    assert all(e["InvocationCompletedDetails"]["RequestId"] for e in completed)
    bare = ask(DurableExecutionArn=arn, IncludeExecutionData=False, MaxItems=0)["Events"]
    assert [e["EventType"] for e in bare] == [e["EventType"] for e in events]
    assert "Payload" not in bare[0]["ExecutionStartedDetails"]["Input"]
    assert "Payload" not in bare[-1]["ExecutionSucceededDetails"]["Result"]
    last_first = ask(DurableExecutionArn=arn, ReverseOrder=True)["Events"]
    assert [e["EventId"] for e in last_first] == [e["EventId"] for e in reversed(events)]


def test_pause(user: User) -> None:
    """A paused execution is not invoked until it is resumed, whatever it waits for."""
    arn = user.start("eventbridge", processingTime=300)
    user.worker(arn)
    [task] = user.tasks(arn)
    for _ in range(2):
        user.durable.pause_durable_execution(DurableExecutionArn=arn, Reason="Lunch")
    user.wait(lambda: user.execution(arn)["Status"] == "PAUSED")
    user.stop(task)
    user.wait(lambda: "lastOutcome" in user.record(arn))
    assert user.execution(arn)["Status"] == "PAUSED"
    paused = user.durable.list_durable_executions_by_function(
        FunctionName=user.function("eventbridge"), Statuses=["PAUSED"]
    )
    assert [execution["DurableExecutionArn"] for execution in paused["DurableExecutions"]] == [arn]
    for _ in range(2):
        user.durable.resume_durable_execution(DurableExecutionArn=arn)
    assert user.error(arn)["kind"] == "StoppedByUser"


def test_pause_of_what_is_over(user: User, stopped: str) -> None:
    """An execution that is over can be neither paused nor resumed."""
    for ask in ("pause_durable_execution", "resume_durable_execution"):
        with pytest.raises(user.durable.exceptions.ResourceConflictException, match="STOPPED"):
            getattr(user.durable, ask)(DurableExecutionArn=stopped)


def test_unknown_execution(user: User, stopped: str) -> None:
    """Each call about an execution that does not exist is refused with AWS's error code."""
    for ask in (
        *("get_durable_execution", "get_durable_execution_history", "stop_durable_execution"),
        *("pause_durable_execution", "resume_durable_execution"),
    ):
        for unknown in (f"{stopped[:-1]}x", "no-arn"):
            with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
                getattr(user.durable, ask)(DurableExecutionArn=unknown)
