from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from local.ecs.capacity import NO_ROOM
from local.ecs.mishaps import EndedBeside, FailedBeside, FailedStart, HangingStart, UnseenExit
from local.journal import Request, TaskChange
from local.system import System
from tests.e2e.user import User, id_of
from tests.integration.local.fargate import ENDED_BY_SIGNAL, on_spot, request, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import Flow

CAPACITY = "Capacity is unavailable at this time."


@pytest.fixture(autouse=True)
def _mended(user: User) -> Iterator[None]:
    """Let nothing go wrong after the test."""
    yield
    user.system.tasks.refusals.clear()
    user.system.tasks.mishaps.clear()
    user.system.tasks.full.clear()


def events(user: User, arn: str) -> list[tuple[str, int]]:
    """Return the status and the version in each of a task's events."""
    changes = user.system.journal.entries(TaskChange)
    return [(change.status, change.version) for change in changes if change.task_arn == arn]


def test_refused_placement(user: User) -> None:
    """A refused placement is an answer without a task, which its token keeps."""
    refusal = {"reason": CAPACITY, "detail": "Try another zone"}
    user.system.tasks.refusals.append(refusal)
    asked = request(user, seconds=0)
    first, second = (user.ecs.run_task(**asked) for _ in "12")
    assert first["tasks"] == second["tasks"] == []
    assert first["failures"] == [refusal]
    assert second["failures"] == first["failures"]
    assert user.ecs.run_task(**{**asked, "clientToken": str(uuid.uuid4())})["tasks"]


def test_failed_start(user: User) -> None:
    """A task whose image cannot be pulled stops with the reason and without an exit code."""
    user.system.tasks.mishaps.append(FailedStart("CannotPullContainerError: i/o timeout"))
    task = user.task(run(user), "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == "CannotPullContainerError: i/o timeout"
    assert task["containers"][0]["lastStatus"] == "STOPPED"
    assert "exitCode" not in task["containers"][0]
    assert not task.keys() & {"startedAt", "executionStoppedAt"}
    statuses = [status for status, _ in events(user, task["taskArn"])]
    assert statuses == ["PROVISIONING", "PENDING", "DEPROVISIONING", "STOPPED"]


def test_hanging_start(user: User) -> None:
    """A task whose start hangs is PENDING until StopTask ends it, before its container ran."""
    user.system.tasks.mishaps.append(HangingStart())
    arn, other = run(user, seconds=0), run(user, seconds=0)
    # It is not slow: another one has come and gone meanwhile.
    user.task(other, "STOPPED")
    hanging = user.task(arn, "PENDING")
    assert hanging["desiredStatus"] == "RUNNING"
    assert hanging["containers"][0]["lastStatus"] == "PENDING"
    user.stop(arn)
    ended = user.task(arn, "STOPPED")
    assert ended["stopCode"] == "UserInitiated"
    assert "exitCode" not in ended["containers"][0]
    assert not ended.keys() & {"startedAt", "executionStoppedAt"}
    statuses = [status for status, _ in events(user, arn)]
    assert statuses == ["PROVISIONING", "PENDING", "DEPROVISIONING", "STOPPED"]


@pytest.mark.parametrize("seconds", [0, 600])
def test_failed_start_beside_the_main_container(user: User, seconds: int) -> None:
    """A task whose main container exits before another one fails to start has both ends."""
    reason = "CannotPullContainerError: pull access denied"
    user.system.tasks.mishaps.append(FailedBeside(reason))
    arn = run(user, seconds=seconds)
    if seconds:
        user.wait(lambda: user.lines(arn))
        user.stop(arn, "enough")
    ended = user.task(arn, "STOPPED")
    guard, main = ended["containers"]
    told = ("UserInitiated", "enough") if seconds else ("TaskFailedToStart", reason)
    assert (ended["stopCode"], ended["stoppedReason"]) == told
    assert main["exitCode"] in (ENDED_BY_SIGNAL if seconds else {0})
    assert "startedAt" not in ended
    assert (guard["name"], guard["lastStatus"], "exitCode" in guard) == ("guard", "STOPPED", False)
    assert guard.get("reason") == (None if seconds else reason)
    assert guard["containerArn"] != main["containerArn"]


def test_end_beside_the_main_container(user: User) -> None:
    """A task whose other essential container exits ends by that: its worker gets SIGTERM."""
    user.system.tasks.mishaps.append(EndedBeside(1))
    ended = user.task(run(user), "STOPPED")
    watchdog, main = ended["containers"]
    assert ended["stopCode"] == "EssentialContainerExited"
    assert (watchdog["name"], watchdog["exitCode"]) == ("watchdog", 1)
    assert main["exitCode"] in ENDED_BY_SIGNAL
    assert ended.keys() >= {"startedAt", "executionStoppedAt"}


def test_failure_of_the_container_beside(user: User) -> None:
    """An execution whose task another container has ended names that one, its code and its log."""
    user.system.tasks.mishaps.append(EndedBeside(1, seconds=5))
    arn = user.start("eventbridge", processingTime=600)
    error = user.error(arn)
    assert (error["kind"], error["endedBy"]["name"], error["endedBy"]["exitCode"]) == (
        "ApplicationFailed",
        "watchdog",
        1,
    )
    assert "watchdog exited with 1" in error["detail"]
    assert "watchdog" in error["advice"]
    assert "/watchdog/" in error["otherLogStream"]


def test_unseen_exit(user: User) -> None:
    """A task whose process is gone unseen is RUNNING until StopTask, and tells no exit code."""
    user.system.tasks.mishaps.append(UnseenExit())
    arn = user.start("eventbridge", processingTime=0)
    [task_arn] = user.wait(lambda: user.tasks(arn))
    user.wait(lambda: "result" in user.record(arn))
    assert user.task(task_arn)["lastStatus"] == "RUNNING"
    user.stop(task_arn)
    ended = user.task(task_arn, "STOPPED")
    assert ended["stopCode"] == "UserInitiated"
    assert "exitCode" not in ended["containers"][0]
    assert ended.keys() >= {"startedAt", "executionStoppedAt"}


def test_full_spot_capacity(user: User) -> None:
    """A request for Spot without capacity is refused in ECS's words, and others are not."""
    user.system.tasks.full["FARGATE_SPOT"] = 1
    refused = user.ecs.run_task(**on_spot(user))
    assert (refused["tasks"], [f["reason"] for f in refused["failures"]]) == ([], [NO_ROOM])
    user.stop(run(user))
    user.stop(user.ecs.run_task(**on_spot(user))["tasks"][0]["taskArn"])


def test_spot_capacity_lost_at_the_start(user: User) -> None:
    """A task on Spot may stop before its container ran, with the words of a refused request."""
    user.system.tasks.mishaps.append(FailedStart(NO_ROOM))
    [task] = user.ecs.run_task(**on_spot(user))["tasks"]
    ended = user.task(task["taskArn"], "STOPPED")
    told = [ended[name] for name in ("stopCode", "stoppedReason", "capacityProviderName")]
    assert told == ["TaskFailedToStart", NO_ROOM, "FARGATE_SPOT"]


def test_spot_interruption(user: User) -> None:
    """A task whose capacity is taken away is warned by an event and SIGTERM, and says so."""
    arn = user.ecs.run_task(**on_spot(user))["tasks"][0]["taskArn"]
    user.task(arn, "RUNNING")
    user.wait(lambda: user.lines(arn))
    task = user.system.tasks.get(arn)
    assert task
    task.interrupt()
    ended = user.task(arn, "STOPPED")
    shown = [ended[name] for name in ("stopCode", "capacityProviderName", "launchType")]
    assert shown == ["SpotInterruption", "FARGATE_SPOT", "FARGATE"]
    assert ended["containers"][0]["exitCode"] in ENDED_BY_SIGNAL
    assert events(user, arn) == [
        ("PROVISIONING", 1),
        ("PENDING", 2),
        ("RUNNING", 3),
        ("RUNNING", 4),
        ("DEPROVISIONING", 5),
        ("STOPPED", 6),
    ]


def test_finished_after_the_warning(user: User) -> None:
    """A task may finish between the warning and SIGTERM; it was interrupted all the same."""
    answer = user.ecs.run_task(**request(user, seconds=1))
    arn = answer["tasks"][0]["taskArn"]
    user.task(arn, "RUNNING")
    task = user.system.tasks.get(arn)
    assert task
    task.interrupt(notice=6000)
    warned = user.task(arn)
    assert (warned["desiredStatus"], warned["lastStatus"]) == ("STOPPED", "RUNNING")
    ended = user.task(arn, "STOPPED")
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("SpotInterruption", 0)


def test_out_of_memory(user: User) -> None:
    """A container without memory is killed, and its own reason says why."""
    arn = run(user)
    user.task(arn, "RUNNING")
    task = user.system.tasks.get(arn)
    assert task
    task.run_out_of_memory()
    ended = user.task(arn, "STOPPED")
    [container] = ended["containers"]
    assert (ended["stopCode"], container["exitCode"]) == ("EssentialContainerExited", 137)
    assert container["reason"].startswith("OutOfMemoryError")


def test_flow_tells_memory(user: User) -> None:
    """An execution whose worker has no memory left fails, and tells that."""
    arn = user.start("eventbridge", processingTime=300)
    [task_arn] = user.wait(lambda: user.tasks(arn))
    user.task(task_arn, "RUNNING")
    task = user.system.tasks.get(task_arn)
    assert task
    task.run_out_of_memory()
    assert user.error(arn)["kind"] == "OutOfMemory"


@pytest.mark.parametrize("flow", ["polling", "eventbridge"])
def test_more_memory(user: User, flow: Flow) -> None:
    """Work that was killed for want of memory is done again, with the next amount of its list."""
    # The first attempt would take ten minutes.
    command = ["sh", "-c", "test $EXECUTION_ATTEMPT = 2 || exec sleep 600"]
    arn = user.start(flow, memory=[512, 1_024], retryOn=["OutOfMemory"], command=command)
    [first] = user.wait(lambda: user.tasks(arn))
    user.task(first, "RUNNING")
    task = user.system.tasks.get(first)
    assert task
    task.run_out_of_memory()
    assert user.result(arn)["attempt"] == 2
    entries = user.closed(arn)["attempts"]
    ends = [(entry["kind"], entry["exitCode"]) for entry in entries]
    assert ends == [("OutOfMemory", 137), ("Succeeded", 0)]
    requests = [entry.parameters for entry in user.system.journal.entries(Request)]
    asked = [one["overrides"] for one in requests if f"/{id_of(arn)}/" in one["startedBy"]]
    sizes = [(each["memory"], each["containerOverrides"][0]["memory"]) for each in asked]
    assert sizes == [("512", 512), ("1024", 1_024)]
    assert user.task(entries[1]["taskArn"])["memory"] == "1024"


def test_forgotten() -> None:
    """An hour after its end ECS knows neither a task nor the token that started it."""
    with System(time_scale=5000, in_process=True) as system:
        user = User(system)
        asked = request(user, seconds=0)
        arn = user.ecs.run_task(**asked)["tasks"][0]["taskArn"]

        def missing() -> bool:
            answer = user.ecs.describe_tasks(cluster=asked["cluster"], tasks=[arn])
            return [failure["reason"] for failure in answer["failures"]] == ["MISSING"]

        user.wait(missing)
        assert [status for status, _ in events(user, arn)][-1] == "STOPPED"
        listed = user.ecs.list_tasks(cluster=asked["cluster"], desiredStatus="STOPPED")
        assert listed["taskArns"] == []
        with pytest.raises(user.ecs.exceptions.InvalidParameterException):
            user.stop(arn)
        again = user.ecs.run_task(**asked)["tasks"][0]["taskArn"]
        assert again != arn
