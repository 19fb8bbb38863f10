from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from local.journal import TaskChange
from local.system import System
from tests.integration.local.fargate import ENDED_BY_SIGNAL, request, run, wait
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import User

CAPACITY = "Capacity is unavailable at this time."


@pytest.fixture(autouse=True)
def _mended(system: System) -> Iterator[None]:
    """Let nothing go wrong after the test."""
    yield
    system.tasks.refusals.clear()
    system.tasks.failed_starts.clear()


def events(system: System, arn: str) -> list[tuple[str, int]]:
    """Return the status and the version in each of a task's events."""
    changes = (change for change in system.journal.entries(TaskChange) if change.task_arn == arn)
    return [(change.status, change.version) for change in changes]


def test_refused_placement(system: System, ecs: Any) -> None:
    """A refused placement is an answer without a task, which its token keeps."""
    refusal = {"reason": CAPACITY, "detail": "Try another zone"}
    system.tasks.refusals.append(refusal)
    asked = request(system, seconds=0)
    first, second = (ecs.run_task(**asked) for _ in "12")
    assert first["tasks"] == second["tasks"] == []
    assert first["failures"] == [refusal]
    assert second["failures"] == first["failures"]
    assert ecs.run_task(**{**asked, "clientToken": str(uuid.uuid4())})["tasks"]


def test_failed_start(system: System, ecs: Any) -> None:
    """A task whose image cannot be pulled stops with the reason and without an exit code."""
    system.tasks.failed_starts.append("CannotPullContainerError: i/o timeout")
    task = wait(system, ecs, run(system, ecs), "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == "CannotPullContainerError: i/o timeout"
    assert task["containers"][0]["lastStatus"] == "STOPPED"
    assert "exitCode" not in task["containers"][0]
    assert not task.keys() & {"startedAt", "executionStoppedAt"}
    statuses = [status for status, _ in events(system, task["taskArn"])]
    assert statuses == ["PROVISIONING", "PENDING", "DEPROVISIONING", "STOPPED"]


def test_spot_interruption(user: User, ecs: Any) -> None:
    """A task whose capacity is taken away is warned by an event and SIGTERM, and says so."""
    system = user.system
    arn = run(system, ecs)
    wait(system, ecs, arn, "RUNNING")
    user.wait(lambda: user.lines(arn))
    task = system.tasks.get(arn)
    assert task
    task.interrupt()
    ended = wait(system, ecs, arn, "STOPPED")
    assert ended["stopCode"] == "SpotInterruption"
    assert ended["containers"][0]["exitCode"] in ENDED_BY_SIGNAL
    assert events(system, arn) == [
        ("PROVISIONING", 1),
        ("PENDING", 2),
        ("RUNNING", 3),
        ("RUNNING", 4),
        ("DEPROVISIONING", 5),
        ("STOPPED", 6),
    ]


def test_finished_after_the_warning(system: System, ecs: Any) -> None:
    """A task may finish between the warning and SIGTERM; it was interrupted all the same."""
    answer = ecs.run_task(**request(system, seconds=1))
    arn = answer["tasks"][0]["taskArn"]
    wait(system, ecs, arn, "RUNNING")
    task = system.tasks.get(arn)
    assert task
    task.interrupt(notice=6000)
    warned = ecs.describe_tasks(cluster=request(system)["cluster"], tasks=[arn])["tasks"][0]
    assert (warned["desiredStatus"], warned["lastStatus"]) == ("STOPPED", "RUNNING")
    ended = wait(system, ecs, arn, "STOPPED")
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("SpotInterruption", 0)


def test_out_of_memory(user: User, ecs: Any) -> None:
    """A container without memory is killed, and its own reason says why."""
    arn = run(user.system, ecs)
    wait(user.system, ecs, arn, "RUNNING")
    task = user.system.tasks.get(arn)
    assert task
    task.run_out_of_memory()
    ended = wait(user.system, ecs, arn, "STOPPED")
    [container] = ended["containers"]
    assert (ended["stopCode"], container["exitCode"]) == ("EssentialContainerExited", 137)
    assert container["reason"].startswith("OutOfMemoryError")


def test_flow_tells_memory(user: User) -> None:
    """An execution whose worker has no memory left fails, and tells that."""
    arn = user.start("EventBridge", processingTime=300)
    user.worker(arn)
    task = user.system.tasks.get(user.tasks(arn)[0])
    assert task
    task.run_out_of_memory()
    assert user.error(arn)["kind"] == "OutOfMemory"


def test_forgotten() -> None:
    """An hour after its end ECS knows neither a task nor the token that started it."""
    with System(time_scale=5000, in_process=True) as system:
        ecs = system.account.client("ecs")
        asked = request(system, seconds=0)
        arn = ecs.run_task(**asked)["tasks"][0]["taskArn"]

        def missing() -> bool:
            answer = ecs.describe_tasks(cluster=asked["cluster"], tasks=[arn])
            return [failure["reason"] for failure in answer["failures"]] == ["MISSING"]

        until(missing, system.journal.wait_for)
        assert [status for status, _ in events(system, arn)][-1] == "STOPPED"
        listed = ecs.list_tasks(cluster=asked["cluster"], desiredStatus="STOPPED")
        assert listed["taskArns"] == []
        with pytest.raises(ecs.exceptions.InvalidParameterException):
            ecs.stop_task(cluster=asked["cluster"], task=arn)
        again = ecs.run_task(**asked)["tasks"][0]["taskArn"]
        assert again != arn
