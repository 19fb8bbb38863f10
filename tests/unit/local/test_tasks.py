from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.ecs import Tasks
from local.ecs.capacity import NO_ROOM
from local.ecs.state import TaskState
from local.errors import ApiError
from local.stack.stack import PROJECT, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.ecs.tokens import Launched

HOUR = 3600
SPOT = [{"capacityProvider": "FARGATE_SPOT"}]


class Time:
    """A time that passes as a test says."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)


class Cluster:
    """The stack's cluster, in which nothing moves by itself.

    Attributes:
        told: the task's status in each of its events.
    """

    def __init__(self, template: Path = PROJECT / "template.yaml") -> None:
        self.time = Time()
        self.told: list[str] = []
        stack = Stack(template, "http://127.0.0.1:1", {"WorkerImage": "local"})
        self.tasks = Tasks(stack, self.time, self._new)
        [self._family], [self._cluster] = self.tasks.definitions, self.tasks.clusters

    def _new(self, detail: dict[str, Any], definition: Mapping[str, Any]) -> TaskState:
        main = definition["ContainerDefinitions"][0]

        def change(detail: dict[str, Any]) -> None:
            self.told.append(detail["lastStatus"])

        return TaskState(detail, main["Name"], self.time, change)

    def start(self, token: str, **asked: Any) -> TaskState:
        """Start a task, or find the one that the token has started."""
        [task] = self.run(token, **asked).tasks
        return task

    def run(self, token: str, **asked: Any) -> Launched[TaskState]:
        """Ask for a task; return what came of it."""
        request = {"cluster": self._cluster, "taskDefinition": self._family, "clientToken": token}
        return self.tasks.run({**request, **asked})


@pytest.fixture
def cluster() -> Cluster:
    """An empty cluster."""
    return Cluster()


def work(task: TaskState) -> None:
    """Let a task run and its container succeed."""
    task.advance("RUNNING")
    task.exit(0)


@pytest.mark.parametrize(
    ("end", "states"),
    [
        (work, ["PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]),
        (lambda task: task.fail("CannotPullContainerError"), ["DEPROVISIONING", "STOPPED"]),
        (lambda task: task.stop("enough"), ["DEPROVISIONING", "STOPPED"]),
    ],
    ids=["works", "not started", "stopped"],
)
def test_states(cluster: Cluster, end: Callable[[TaskState], None], states: list[str]) -> None:
    """A task that is moved by hand passes through the states that its end leads to."""
    task = cluster.start("one")
    end(task)
    task.advance("STOPPED")
    assert cluster.told == states
    assert task.following is None
    assert task.describe()["version"] == 1 + len(states)
    assert ("startedAt" in task.describe()) is ("RUNNING" in states)


@pytest.mark.parametrize(
    ("strategy", "provider"),
    [
        ([], None),
        ([{"capacityProvider": "FARGATE_SPOT", "weight": 1}], "FARGATE_SPOT"),
        (
            [
                {"capacityProvider": "FARGATE_SPOT", "weight": 3},
                {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
            ],
            "FARGATE",
        ),
    ],
)
def test_capacity(cluster: Cluster, strategy: list[dict[str, Any]], provider: str | None) -> None:
    """A task shows which capacity provider it got, if its request has named some."""
    shown = cluster.start("one", capacityProviderStrategy=strategy).describe()
    assert (shown.get("capacityProviderName"), shown["launchType"]) == (provider, "FARGATE")


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"launchType": "FARGATE"}, "both a launch type and capacity provider strategy"),
        ({}, "not associated with the cluster"),
    ],
    ids=["launch type", "foreign"],
)
def test_impossible_capacity(cluster: Cluster, asked: dict[str, str], complaint: str) -> None:
    """A strategy beside a launch type, or of a provider that the cluster lacks, is refused."""
    if not asked:
        cluster.tasks.clusters = dict.fromkeys(cluster.tasks.clusters, ("FARGATE",))
    with pytest.raises(ApiError, match=complaint):
        cluster.start("one", capacityProviderStrategy=SPOT, **asked)
    assert cluster.tasks.all() == []


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"taskDefinition": "foreign"}, "TaskDefinition not found"),
        ({"taskDefinition": "{family}:2"}, "TaskDefinition not found"),
        ({"taskDefinition": "bare"}, "The container main of bare cannot run here"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "container named other"),
        ({"overrides": {"memory": "640"}}, "No Fargate configuration exists"),
        ({"tags": [{"key": "aws:team"}]}, "aws:team"),
        ({"startedBy": "another", "clientToken": "used"}, "Parameters do not match"),
    ],
    ids=["family", "revision", "image", "container", "size", "tag", "token"],
)
def test_refused_requests(cluster: Cluster, asked: dict[str, Any], complaint: str) -> None:
    """A request that ECS would refuse starts nothing."""
    [(family, definition)] = cluster.tasks.definitions.items()
    bare = {"Family": "bare", "ContainerDefinitions": [{"Name": "main", "Image": "an/image"}]}
    cluster.tasks.definitions["bare"] = {**definition, **bare}
    used = cluster.start("used")
    if "taskDefinition" in asked:
        asked = asked | {"taskDefinition": asked["taskDefinition"].format(family=family)}
    with pytest.raises(ApiError, match=complaint):
        cluster.start("new", **asked)
    assert cluster.tasks.all() == [used]


def test_providers_of_a_template(tmp_path: Path) -> None:
    """A cluster has the capacity providers that the template gives it, and no others."""
    text = (PROJECT / "template.yaml").read_text()
    assert set(*Cluster().tasks.clusters.values()) == {"FARGATE", "FARGATE_SPOT"}
    without = tmp_path / "template.yaml"
    without.write_text(text.replace("      CapacityProviders: [FARGATE, FARGATE_SPOT]\n", ""))
    assert set(*Cluster(without).tasks.clusters.values()) == set()


def test_full_capacity(cluster: Cluster) -> None:
    """While there is no room on Spot, there is on demand, and a refusal is kept by its token."""
    cluster.tasks.full["FARGATE_SPOT"] = 2
    refused = [cluster.run(token, capacityProviderStrategy=SPOT) for token in ("1", "1", "2")]
    assert [launched.tasks for launched in refused] == [[], [], []]
    assert {failure["reason"] for launched in refused for failure in launched.failures} == {NO_ROOM}
    assert cluster.run("3", launchType="FARGATE").tasks
    assert cluster.run("4", capacityProviderStrategy=SPOT).tasks


def test_refused_spot_for_another_reason(cluster: Cluster) -> None:
    """A refusal of the next request leaves those that find no room as they are."""
    cluster.tasks.full["FARGATE_SPOT"] = 1
    cluster.tasks.refusals.append({"reason": "Blocked"})
    assert cluster.run("1", launchType="FARGATE").failures == [{"reason": "Blocked"}]
    [failure] = cluster.run("2", capacityProviderStrategy=SPOT).failures
    assert failure["reason"].startswith("Capacity is unavailable at this time.")


def test_first_reason(cluster: Cluster) -> None:
    """Whatever happens to a task that is to stop, the reason of its end stays the first one."""
    task = cluster.start("one")
    task.advance("RUNNING")
    task.interrupt()
    task.stop("changed my mind")
    task.exit(0)
    shown = task.describe()
    assert (shown["stopCode"], shown["containers"][0]["exitCode"]) == ("SpotInterruption", 0)


def test_forgotten(cluster: Cluster) -> None:
    """An hour after its end neither a task nor its token takes any memory."""
    kept = weakref.ref(cluster.start("one"))
    for task in cluster.tasks.all():
        work(task)
        task.advance("STOPPED")
    del task
    cluster.time.passed += HOUR
    assert cluster.start("one") is kept()
    cluster.time.passed += 1
    assert cluster.start("two").arn
    gc.collect()
    assert kept() is None
