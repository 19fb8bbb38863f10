from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.ecs import Tasks
from local.ecs.state import TaskState
from local.stack.stack import PROJECT, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOUR = 3600


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

    def __init__(self) -> None:
        self.time = Time()
        self.told: list[str] = []
        stack = Stack(PROJECT / "template.yaml", "http://127.0.0.1:1", {"WorkerImage": "local"})
        self.tasks = Tasks(stack, self.time, self._new)
        [self._family], [self._cluster] = self.tasks.definitions, self.tasks.clusters

    def _new(self, detail: dict[str, Any], definition: Mapping[str, Any]) -> TaskState:
        main = definition["ContainerDefinitions"][0]

        def change(detail: dict[str, Any]) -> None:
            self.told.append(detail["lastStatus"])

        return TaskState(detail, main["Name"], self.time, change)

    def start(self, token: str, **asked: Any) -> TaskState:
        """Start a task, or find the one that the token has started."""
        request = {"cluster": self._cluster, "taskDefinition": self._family, "clientToken": token}
        [task] = self.tasks.run({**request, **asked}).tasks
        return task


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
