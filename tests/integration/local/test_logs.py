from __future__ import annotations

import itertools
import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import User

QUERIES = re.findall(
    r"^```\n(fields .*?)```$",
    (ROOT / "docs" / "operations.md").read_text(),
    re.DOTALL | re.MULTILINE,
)


@pytest.fixture(scope="module")
def logs(user: User) -> Any:
    """A client of CloudWatch Logs."""
    return user.system.account.client("logs")


@pytest.fixture(scope="module")
def executions(user: User) -> list[str]:
    """Two executions that have succeeded."""
    arns = [user.start("eventbridge", message=f"m{n}", processingTime=0) for n in "12"]
    for arn in arns:
        user.result(arn)
    return arns


@pytest.fixture(scope="module")
def group(user: User, logs: Any, executions: list[str]) -> str:
    """The workers' log group, when both executions' workers have written to it."""
    name = user.system.stack.outputs["LogGroupName"]
    ids = {arn.rpartition("/")[2] for arn in executions}

    def written() -> bool:
        events = logs.filter_log_events(logGroupName=name)["events"]
        lines = [json.loads(event["message"]) for event in events]
        ended = {line["correlation_id"] for line in lines if line.get("message") == "Work finished"}
        return ids <= ended

    user.wait(written)
    return name


def test_workers_stream(user: User, logs: Any, group: str, executions: list[str]) -> None:
    """A worker's lines are in the stream that its container's log driver would name."""
    task = user.tasks(executions[0])[0].rpartition("/")[2]
    events = logs.get_log_events(
        logGroupName=group, logStreamName=f"worker/worker/{task}", startFromHead=True
    )["events"]
    messages = [json.loads(event["message"])["message"] for event in events]
    assert messages == ["Work started", "Work finished"]
    assert [event["timestamp"] for event in events] == sorted(
        event["timestamp"] for event in events
    )


def test_functions_streams(user: User, logs: Any, executions: list[str]) -> None:
    """A function's lines are in its group, in a stream for each of its processes."""
    name = f"/aws/lambda/{user.function('eventbridge').split(':')[6]}"
    wanted = executions[0].rpartition("/")[2]

    def logged() -> set[str] | None:
        events = logs.filter_log_events(logGroupName=name, filterPattern=wanted)["events"]
        messages = {json.loads(event["message"]).get("message") for event in events}
        return messages if "Final result" in messages else None

    assert "Task started" in user.wait(logged)
    streams = logs.describe_log_streams(logGroupName=name)["logStreams"]
    assert streams
    assert all(stream["logStreamName"].startswith("[1]") for stream in streams)


@pytest.mark.usefixtures("executions")
def test_streams_are_interleaved(logs: Any, group: str) -> None:
    """The lines of all streams come in the order of time, whether that is asked for or not."""
    for asked in ({}, {"interleaved": False}):
        events = logs.filter_log_events(logGroupName=group, **asked)["events"]
        moments = [event["timestamp"] for event in events]
        assert moments == sorted(moments)
        assert len({event["logStreamName"] for event in events}) > 1


def test_part_of_the_streams(
    user: User,
    logs: Any,
    group: str,
    executions: list[str],
) -> None:
    """Streams are chosen by the beginning of their names, and groups by their ARNs too."""
    task = user.tasks(executions[1])[0].rpartition("/")[2]
    stack = user.system.stack
    arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{group}"
    events = logs.filter_log_events(
        logGroupIdentifier=arn, logStreamNamePrefix=f"worker/worker/{task}"
    )["events"]
    assert len(events) == 2
    none = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="nobody")
    assert none["events"] == []
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="/no/group")


def rows(user: User, logs: Any, query: str) -> list[dict[str, str]]:
    """Ask all of the stack's log groups, as the documentation says to."""
    stack = user.system.stack
    groups = [group["LogGroupName"] for group in stack.of_type("AWS::Logs::LogGroup").values()]
    started = logs.start_query(logGroupNames=groups, startTime=0, endTime=2**32, queryString=query)
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


@pytest.mark.usefixtures("group")
def test_one_execution_in_all_logs(user: User, logs: Any, executions: list[str]) -> None:
    """The documented query shows what each function and the worker say of one execution."""
    wanted = executions[0].rpartition("/")[2]
    query = QUERIES[0].replace("YOUR-EXECUTION-ID", wanted)

    def told() -> list[dict[str, str]] | None:
        # Metrics are lines too, without a message.
        found = [row for row in rows(user, logs, query) if "message" in row]
        return found if "Final result" in {row["message"] for row in found} else None

    found = user.wait(told)
    assert {frozenset(row) for row in found} == {
        frozenset({"@timestamp", "@log", "level", "message", "@ptr"})
    }
    moments = [row["@timestamp"] for row in found]
    assert moments == sorted(moments)
    worker = f"{user.system.stack.account}:{user.system.stack.outputs['LogGroupName']}"
    messages = [row["message"] for row in found if row["@log"] == worker]
    assert messages == ["Work started", "Work finished"]


def test_failed_tasks(user: User, logs: Any) -> None:
    """The documented query shows the failed tasks, and how each failed."""
    failed = user.start("eventbridge", processingTime=0, simulate={"exitCode": 3})
    user.error(failed)

    def told() -> dict[str, str] | None:
        # The reconciler, who works for all, names an execution in a field of its own.
        found = {row.get("correlation_id"): row for row in rows(user, logs, QUERIES[1])}
        return found.get(failed.rpartition("/")[2])

    row = user.wait(told)
    assert (row["error.kind"], row["error.summary"]) == (
        "ApplicationFailed",
        "The container exited with code 3.",
    )


def test_counted_failures(user: User, logs: Any) -> None:
    """The documented query shows the executions that the metric on failed ones has counted."""
    failed = user.start("polling", processingTime=0, simulate={"exitCode": 3})
    user.error(failed)

    def counted() -> bool:
        found = [row.get("executionId") for row in rows(user, logs, QUERIES[2])]
        return found.count(failed.rpartition("/")[2]) == 1

    assert user.wait(counted)


def test_unknown_query(user: User, logs: Any) -> None:
    """A query that cannot be answered here is refused, and so is one for a group that is not."""
    with pytest.raises(logs.exceptions.MalformedQueryException, match="stats"):
        rows(user, logs, "stats count(*)")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="/no/group"):
        logs.start_query(
            logGroupName="/no/group", startTime=0, endTime=1, queryString="fields @message"
        )


def follow(logs: Any, group: str, user: User) -> Iterator[str]:
    """Yield a group's lines as `aws logs tail --follow` asks for them, two at a time."""
    asked: dict[str, Any] = {"logGroupName": group, "interleaved": True, "limit": 2}
    asked["startTime"] = int((time.time() - 600) * 1000)
    seen: dict[str, int] = {}
    while True:
        answer = logs.filter_log_events(**asked)
        for event in answer["events"]:
            if event["eventId"] not in seen:
                seen[event["eventId"]] = event["timestamp"]
                yield event["message"]
        asked.pop("nextToken", None)
        if "nextToken" in answer:
            asked["nextToken"] = answer["nextToken"]
        elif seen:
            asked["startTime"] = max(seen.values())
            user.system.journal.wait_for(lambda: False, 0.1)


def test_follow(user: User, logs: Any, group: str) -> None:
    """A client that follows a group sees each line once, those that come later too."""
    before = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    lines = follow(logs, group, user)
    earlier = list(itertools.islice(lines, len(before)))
    # Several tasks may have logged the same line.
    assert sorted(earlier) == sorted(before)
    user.result(user.start("eventbridge", message="later", processingTime=0))
    later = list(itertools.islice(lines, 2))
    assert [json.loads(line)["message"] for line in later] == ["Work started", "Work finished"]
