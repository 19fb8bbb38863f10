from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local.journal import Delivery, Line, TaskChange
from tests.integration.local.fargate import (
    ENDED_BY_SIGNAL,
    describe,
    request,
    run,
    stop,
    wait,
)
from tests.waiting import until

if TYPE_CHECKING:
    from local.system import System


def test_same_token_is_the_same_task(system: System, ecs: Any) -> None:
    """A request that is repeated with its client token starts no second task."""
    asked = request(system)
    first, second = (ecs.run_task(**asked)["tasks"][0]["taskArn"] for _ in "12")
    assert first == second
    stop(system, ecs, first, "enough")


def test_same_token_for_another_request(system: System, ecs: Any) -> None:
    """A client token that is used for another request is refused with the first one's task."""
    asked = request(system)
    task = ecs.run_task(**asked)["tasks"][0]["taskArn"]
    with pytest.raises(ecs.exceptions.ConflictException) as refused:
        ecs.run_task(**{**asked, "startedBy": "somebody-else"})
    assert refused.value.response["resourceIds"] == [task]
    stop(system, ecs, task, "enough")


def test_unknown_names(system: System, ecs: Any) -> None:
    """An unknown task is MISSING, an unknown family refused."""
    cluster = system.stack.outputs["ECSClusterName"]
    answer = ecs.describe_tasks(cluster=cluster, tasks=["nobody"])
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "MISSING")
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        stop(system, ecs, "nobody", "why not")
    with pytest.raises(ClientError, match="TaskDefinition not found"):
        run(system, ecs, taskDefinition="unknown")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"count": 11}, "count"),
        ({"count": 0}, "count"),
        ({"networkConfiguration": None}, "Network Configuration"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "container named other"),
    ],
    ids=["too many", "none", "no network", "unknown container"],
)
def test_impossible_tasks(
    system: System,
    ecs: Any,
    changes: dict[str, Any],
    complaint: str,
) -> None:
    """What ECS would refuse to start is refused with the name of what is wrong."""
    asked = {name: value for name, value in request(system, **changes).items() if value is not None}
    with pytest.raises(ecs.exceptions.InvalidParameterException, match=complaint):
        ecs.run_task(**asked)


def test_unknown_cluster(system: System, ecs: Any) -> None:
    """Nothing runs in a cluster that does not exist, and nothing is told of it."""
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        run(system, ecs, cluster="other")
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.list_tasks()


@pytest.mark.parametrize(
    "change",
    [
        {"startedBy": "arn:aws:lambda"},
        {"startedBy": "x" * 129},
        {"clientToken": "x" * 65},
        {"overrides": {"containerOverrides": [{"name": "worker", "command": ["x" * 8192]}]}},
    ],
    ids=["form of startedBy", "length of startedBy", "length of the token", "overrides"],
)
def test_refused_requests(system: System, ecs: Any, change: dict[str, Any]) -> None:
    """A request that goes beyond what ECS takes starts no task."""
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        run(system, ecs, **change)


def test_stopped_while_it_works(system: System, ecs: Any) -> None:
    """StopTask sends SIGTERM, and the task tells who stopped it beside the exit code."""
    arn = run(system, ecs)
    wait(system, ecs, arn, "RUNNING")
    until(lambda: _has_begun(system, arn), system.journal.wait_for)
    stop(system, ecs, arn, "changed my mind")
    task = wait(system, ecs, arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "changed my mind")
    assert task["containers"][0]["exitCode"] in ENDED_BY_SIGNAL


def test_stopped_before_it_works(system: System, ecs: Any) -> None:
    """A task that is stopped before its container ran has no exit code."""
    arn = run(system, ecs)
    stop(system, ecs, arn, "too early")
    task = wait(system, ecs, arn, "STOPPED")
    assert task["stopCode"] == "UserInitiated"
    assert "exitCode" not in task["containers"][0]


def test_listed_by_who_started_it(system: System, ecs: Any) -> None:
    """ListTasks finds a task by `startedBy`, under the status that it is wanted to have."""
    cluster, started_by = system.stack.outputs["ECSClusterName"], f"test/{uuid.uuid4()}/1"
    arn = run(system, ecs, startedBy=started_by)
    listed = ecs.list_tasks(cluster=cluster, startedBy=started_by)["taskArns"]
    assert listed == [arn]
    stop(system, ecs, arn, "enough")
    listed = ecs.list_tasks(cluster=cluster, startedBy=started_by)["taskArns"]
    assert listed == []
    stopped = ecs.list_tasks(cluster=cluster, startedBy=started_by, desiredStatus="STOPPED")
    assert stopped["taskArns"] == [arn]


def test_states_and_events(system: System, ecs: Any) -> None:
    """A task's events tell five of Fargate's states, in the order and shape of published ones."""
    arn = run(system, ecs, startedBy=f"{system.stack.name}/unknown/1")
    wait(system, ecs, arn, "RUNNING")
    stop(system, ecs, arn, "enough")
    wait(system, ecs, arn, "STOPPED")
    changes = system.journal.entries(TaskChange)
    assert [change.status for change in changes if change.task_arn == arn] == [
        "PROVISIONING",
        "PENDING",
        "RUNNING",
        "DEPROVISIONING",
        "STOPPED",
    ]
    delivered = [delivery.event for delivery in system.journal.entries(Delivery)]
    details = [e["detail"] for e in delivered if e["detail"].get("taskArn") == arn]
    assert [(d["lastStatus"], d["version"]) for d in details] == [
        ("DEPROVISIONING", 4),
        ("STOPPED", 5),
    ]
    assert details[1]["createdAt"] < details[1]["startedAt"] < details[1]["stoppedAt"]


def test_worker_sees_its_container_alone(
    system: System,
    ecs: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker gets its container's variables, credentials, the endpoint, and nothing of ours."""
    monkeypatch.setenv("SECRET_OF_THIS_SHELL", "secret")
    arn = run(system, ecs)
    wait(system, ecs, arn, "RUNNING")
    task = system.tasks.get(arn)
    assert task
    assert task.pid
    if not Path("/proc").is_dir():
        pytest.skip("the environment of another process can be read on Linux alone")
    environment = Path(f"/proc/{task.pid}/environ").read_text().split("\0")
    names = {variable.partition("=")[0] for variable in environment if variable}
    stop(system, ecs, arn, "enough")
    assert "SECRET_OF_THIS_SHELL" not in names
    assert {"EXECUTION_ID", "AWS_ENDPOINT_URL", "POWERTOOLS_LOG_LEVEL", "NO_PROXY"} <= names
    assert "STACK_NAME" not in names
    assert f"PATH={os.environ['PATH']}" in environment


def _has_begun(system: System, arn: str) -> bool:
    return any(line.source == arn for line in system.journal.entries(Line))


def test_filters(system: System, ecs: Any) -> None:
    """Tasks are listed by family and launch type; with `startedBy` AWS takes neither."""
    cluster = system.stack.outputs["ECSClusterName"]
    asked = request(system)
    arn = ecs.run_task(**asked)["tasks"][0]["taskArn"]
    family = asked["taskDefinition"]
    assert arn in ecs.list_tasks(cluster=cluster, family=family)["taskArns"]
    assert ecs.list_tasks(cluster=cluster, family="other")["taskArns"] == []
    assert arn in ecs.list_tasks(cluster=cluster, launchType="FARGATE")["taskArns"]
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="startedBy"):
        ecs.list_tasks(cluster=cluster, family=family, startedBy=asked["startedBy"])
    stop(system, ecs, arn, "enough")


def test_pages(system: System, ecs: Any) -> None:
    """One request starts several tasks, and pages of them follow one another without a gap."""
    cluster, started_by = system.stack.outputs["ECSClusterName"], f"test/{uuid.uuid4()}/1"
    answer = ecs.run_task(**request(system, count=3, startedBy=started_by))
    arns = [task["taskArn"] for task in answer["tasks"]]
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=cluster, startedBy=started_by, PaginationConfig={"PageSize": 2}
    )
    listed = [page["taskArns"] for page in pages]
    for arn in arns:
        stop(system, ecs, arn, "enough")
    assert [len(page) for page in listed] == [2, 1]
    assert [arn for page in listed for arn in page] == arns


def test_tags(system: System, ecs: Any) -> None:
    """A task's tags are told where they are asked for."""
    tags = [{"key": "team", "value": "blue"}]
    arn = run(system, ecs, tags=tags)
    cluster = system.stack.outputs["ECSClusterName"]
    task = ecs.describe_tasks(cluster=cluster, tasks=[arn], include=["TAGS"])["tasks"][0]
    assert task["tags"] == tags
    assert "tags" not in describe(system, ecs, arn)
    stop(system, ecs, arn, "enough")
