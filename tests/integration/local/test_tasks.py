from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local.journal import Delivery, Request, TaskChange
from tests.integration.local.fargate import ENDED_BY_SIGNAL, on_spot, request, run

if TYPE_CHECKING:
    from tests.e2e.user import User

LARGE: dict[str, Any] = {
    "cpu": "1024",
    "memory": "4096",
    "ephemeralStorage": {"sizeInGiB": 50},
    "containerOverrides": [{"name": "worker", "memory": 3072}],
}


def test_same_token_is_the_same_task(user: User) -> None:
    """A request that is repeated with its client token starts no second task."""
    asked = request(user)
    first, second = (user.ecs.run_task(**asked)["tasks"][0]["taskArn"] for _ in "12")
    assert first == second
    user.stop(first)


def test_requests_are_kept(user: User) -> None:
    """The journal holds each RunTask's parameters for tests."""
    asked = request(user)
    user.stop(user.ecs.run_task(**asked)["tasks"][0]["taskArn"])
    kept = [entry.parameters for entry in user.system.journal.entries(Request)]
    assert [one for one in kept if one["startedBy"] == asked["startedBy"]] == [asked]


def test_same_token_for_another_request(user: User) -> None:
    """A client token that is used for another request is refused with the first one's task."""
    asked = request(user)
    task = user.ecs.run_task(**asked)["tasks"][0]["taskArn"]
    with pytest.raises(user.ecs.exceptions.ConflictException) as refused:
        user.ecs.run_task(**{**asked, "startedBy": "somebody-else"})
    assert refused.value.response["resourceIds"] == [task]
    user.stop(task)


def test_unknown_names(user: User) -> None:
    """An unknown task is MISSING, an unknown family refused."""
    cluster = user.outputs["ECSClusterName"]
    answer = user.ecs.describe_tasks(cluster=cluster, tasks=["nobody"])
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "MISSING")
    with pytest.raises(user.ecs.exceptions.InvalidParameterException):
        user.stop("nobody", "why not")
    with pytest.raises(ClientError, match="TaskDefinition not found"):
        run(user, taskDefinition="unknown")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"count": 11}, "count"),
        ({"count": 0}, "count"),
        ({"networkConfiguration": None}, "Network Configuration"),
        ({"propagateTags": "SERVICE"}, "propagateTags"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "container named other"),
        ({"overrides": {"memory": "640"}}, "No Fargate configuration .*: 256 CPU, 640 memory"),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}, "Remove one"),
        ({"tags": [{"key": "aws:team", "value": "blue"}]}, "aws:team"),
    ],
    ids=[
        *("too many", "none", "no network", "no service", "unknown container"),
        *("no such size", "two capacities", "AWS's tag"),
    ],
)
def test_impossible_tasks(
    user: User,
    changes: dict[str, Any],
    complaint: str,
) -> None:
    """A definition that ECS would refuse to start is refused, and the error names the fault."""
    asked = {name: value for name, value in request(user, **changes).items() if value is not None}
    with pytest.raises(user.ecs.exceptions.InvalidParameterException, match=complaint):
        user.ecs.run_task(**asked)


def test_unknown_cluster(user: User) -> None:
    """Each call for a cluster that does not exist is refused."""
    with pytest.raises(user.ecs.exceptions.ClusterNotFoundException):
        run(user, cluster="other")
    with pytest.raises(user.ecs.exceptions.ClusterNotFoundException):
        user.ecs.list_tasks()


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
def test_refused_requests(user: User, change: dict[str, Any]) -> None:
    """A request that goes beyond what ECS takes starts no task."""
    with pytest.raises(user.ecs.exceptions.InvalidParameterException):
        run(user, **change)


def test_stopped_while_it_works(user: User) -> None:
    """StopTask sends SIGTERM, and the task shows who stopped it beside the exit code."""
    arn = run(user)
    user.task(arn, "RUNNING")
    user.wait(lambda: user.lines(arn))
    user.stop(arn, "changed my mind")
    task = user.task(arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "changed my mind")
    assert task["containers"][0]["exitCode"] in ENDED_BY_SIGNAL


def test_stopped_before_it_works(user: User) -> None:
    """A task that is stopped before its container ran has no exit code."""
    arn = run(user)
    user.stop(arn, "too early")
    task = user.task(arn, "STOPPED")
    assert task["stopCode"] == "UserInitiated"
    assert "exitCode" not in task["containers"][0]


def test_listed_by_who_started_it(user: User) -> None:
    """ListTasks finds a task by `startedBy`, under the status that it is wanted to have."""
    cluster, started_by = user.outputs["ECSClusterName"], f"test/{uuid.uuid4()}/1"
    arn = run(user, startedBy=started_by)
    listed = user.ecs.list_tasks(cluster=cluster, startedBy=started_by)["taskArns"]
    assert listed == [arn]
    user.stop(arn)
    listed = user.ecs.list_tasks(cluster=cluster, startedBy=started_by)["taskArns"]
    assert listed == []
    stopped = user.ecs.list_tasks(cluster=cluster, startedBy=started_by, desiredStatus="STOPPED")
    assert stopped["taskArns"] == [arn]


def test_states_and_events(user: User) -> None:
    """A task's events show five of Fargate's states, in the order and form of published ones."""
    arn = run(user, startedBy=f"{user.stack}/unknown/1")
    user.task(arn, "RUNNING")
    user.stop(arn)
    user.task(arn, "STOPPED")
    changes = user.system.journal.entries(TaskChange)
    assert [change.status for change in changes if change.task_arn == arn] == [
        "PROVISIONING",
        "PENDING",
        "RUNNING",
        "DEPROVISIONING",
        "STOPPED",
    ]
    delivered = [delivery.event for delivery in user.system.journal.entries(Delivery)]
    details = [e["detail"] for e in delivered if e["detail"].get("taskArn") == arn]
    assert [(d["lastStatus"], d["version"]) for d in details] == [
        ("DEPROVISIONING", 4),
        ("STOPPED", 5),
    ]
    assert details[1]["createdAt"] < details[1]["startedAt"] < details[1]["stoppedAt"]


def test_worker_sees_its_container_alone(
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker gets its container's variables, credentials, the endpoint, and nothing of ours."""
    monkeypatch.setenv("SECRET_OF_THIS_SHELL", "secret")
    arn = run(user)
    user.task(arn, "RUNNING")
    task = user.system.tasks.get(arn)
    assert task
    assert task.pid
    if not Path("/proc").is_dir():
        pytest.skip("the environment of another process can be read on Linux alone")
    environment = Path(f"/proc/{task.pid}/environ").read_text().split("\0")
    names = {variable.partition("=")[0] for variable in environment if variable}
    user.stop(arn)
    assert "SECRET_OF_THIS_SHELL" not in names
    assert {"EXECUTION_ID", "AWS_ENDPOINT_URL", "POWERTOOLS_LOG_LEVEL", "NO_PROXY"} <= names
    assert "STACK_NAME" not in names
    assert f"PATH={os.environ['PATH']}" in environment


def test_filters(user: User) -> None:
    """Tasks are listed by family and launch type; with `startedBy` AWS takes neither."""
    cluster = user.outputs["ECSClusterName"]
    asked = request(user)
    arn = user.ecs.run_task(**asked)["tasks"][0]["taskArn"]
    family = asked["taskDefinition"]
    assert arn in user.ecs.list_tasks(cluster=cluster, family=family)["taskArns"]
    assert user.ecs.list_tasks(cluster=cluster, family="other")["taskArns"] == []
    assert arn in user.ecs.list_tasks(cluster=cluster, launchType="FARGATE")["taskArns"]
    with pytest.raises(user.ecs.exceptions.InvalidParameterException, match="startedBy"):
        user.ecs.list_tasks(cluster=cluster, family=family, startedBy=asked["startedBy"])
    user.stop(arn)


def test_pages(user: User) -> None:
    """One request starts several tasks, and pages of them follow one another without a gap."""
    cluster, started_by = user.outputs["ECSClusterName"], f"test/{uuid.uuid4()}/1"
    answer = user.ecs.run_task(**request(user, count=3, startedBy=started_by))
    arns = [task["taskArn"] for task in answer["tasks"]]
    pages = user.ecs.get_paginator("list_tasks").paginate(
        cluster=cluster, startedBy=started_by, PaginationConfig={"PageSize": 2}
    )
    listed = [page["taskArns"] for page in pages]
    for arn in arns:
        user.stop(arn)
    assert [len(page) for page in listed] == [2, 1]
    assert [arn for page in listed for arn in page] == arns


def test_tags(user: User) -> None:
    """A task's tags, and the one that ECS adds, are shown on request."""
    tags = [{"key": "team", "value": "blue"}]
    arn = run(user, tags=tags)
    cluster = user.outputs["ECSClusterName"]
    task = user.ecs.describe_tasks(cluster=cluster, tasks=[arn], include=["TAGS"])["tasks"][0]
    assert task["tags"] == [*tags, {"key": "aws:ecs:clusterName", "value": cluster}]
    assert "tags" not in user.task(arn)
    user.stop(arn)


def test_size_and_capacity(user: User) -> None:
    """A task shows the size and the capacity that it asked for, in its events too."""
    arn = user.ecs.run_task(**on_spot(user, overrides=LARGE))["tasks"][0]["taskArn"]
    user.task(arn, "RUNNING")
    user.stop(arn)
    shown = user.task(arn, "STOPPED")
    told = [delivery.event["detail"] for delivery in user.system.journal.entries(Delivery)]
    for task in (shown, *(detail for detail in told if detail.get("taskArn") == arn)):
        [container] = task["containers"]
        assert (task["cpu"], task["memory"], task["ephemeralStorage"]) == (
            "1024",
            "4096",
            {"sizeInGiB": 50},
        )
        assert (container["memory"], task["overrides"]) == ("3072", LARGE)
        assert (task["capacityProviderName"], task["launchType"]) == ("FARGATE_SPOT", "FARGATE")
