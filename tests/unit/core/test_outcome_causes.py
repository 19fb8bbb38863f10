from __future__ import annotations

import pytest

from core.outcome import FailedToStart, TimedOut, classify, stop_reason
from core.outcome.kinds import Cancelled, Outcome
from tests.unit.core.tasks import OUT_OF_MEMORY, WORKER, container, stopped


def kind(task: dict[str, object]) -> str | None:
    """Name how a task ended; None while it is not over."""
    outcome = classify(task, WORKER)
    return outcome.kind if outcome else None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "Succeeded"),
        (1, "ApplicationFailed"),
        (137, "ApplicationFailed"),
        (143, "ApplicationFailed"),
        (255, "ApplicationFailed"),
        (None, "InfrastructureLost"),
    ],
)
def test_exit_code(code: int | None, expected: str) -> None:
    """An exit is what its code says; without a code it is never a success."""
    assert kind(stopped(container(code))) == expected
    assert kind(stopped(container(code), stopCode=None, stoppedReason=None)) == expected


@pytest.mark.parametrize(
    ("stop_code", "expected"),
    [
        ("UserInitiated", "StoppedByUser"),
        ("ServiceSchedulerInitiated", "InfrastructureLost"),
        ("SpotInterruption", "SpotInterrupted"),
        ("TerminationNotice", "InfrastructureLost"),
        ("InfrastructureHealth", "InfrastructureLost"),
    ],
)
@pytest.mark.parametrize("code", [0, 1, 137, None])
def test_stop_code_beats_exit_code(stop_code: str, code: int | None, expected: str) -> None:
    """A stop code that names a cause decides: a container stopped by a person may exit with 0."""
    assert kind(stopped(container(code, reason=OUT_OF_MEMORY), stopCode=stop_code)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "Missing"),
        (1, "InfrastructureLost"),
        (137, "InfrastructureLost"),
        (None, "InfrastructureLost"),
    ],
)
def test_unknown_stop_code(code: int | None, expected: str) -> None:
    """An unknown stop code is no success, and work that may be done is not repeated."""
    assert kind(stopped(container(code), stopCode="InventedTomorrow")) == expected


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (0, None, "Succeeded"),
        (0, OUT_OF_MEMORY, "OutOfMemory"),
        (3, None, "ApplicationFailed"),
        (137, OUT_OF_MEMORY, "OutOfMemory"),
        (143, None, "ApplicationFailed"),
        (None, None, "FailedToStart"),
        (None, OUT_OF_MEMORY, "FailedToStart"),
    ],
)
def test_exit_of_a_failed_start(code: int | None, reason: str | None, expected: str) -> None:
    """A main container that has an exit code did run, though another one failed to start."""
    task = stopped(container(code, reason=reason), stopCode="TaskFailedToStart")
    assert kind(task) == expected


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (None, "CannotPullContainerError: not found", "FailedToStart"),
        (None, "CannotCreateContainerError: no such volume", "FailedToStart"),
        (None, "ResourceInitializationError: failed to configure ENI", "FailedToStart"),
        (None, "DockerTimeoutError: Could not transition to started", "FailedToStart"),
        (None, "ContainerRuntimeTimeoutError: Could not transition to running", "FailedToStart"),
        # The container runtime's own codes, and that of the agent.
        (127, "CannotStartContainerError: executable file not found in $PATH", "FailedToStart"),
        (128, "CannotStartContainerError: OCI runtime create failed", "FailedToStart"),
        (143, "CannotStartContainerError: dependency did not exit successfully", "FailedToStart"),
        # It ran, for it has a code of its own, or could not be stopped.
        (0, "CannotStartContainerError: who knows", "Succeeded"),
        (3, "CannotStartContainerError: who knows", "ApplicationFailed"),
        (143, "CannotStopContainerError: who knows", "ApplicationFailed"),
        (None, "CannotStopContainerError: who knows", "InfrastructureLost"),
        (None, "CannotInspectContainerError: Could not transition", "FailedToStart"),
        (0, "CannotInspectContainerError: Could not transition", "Succeeded"),
        (None, "DockerTimeoutError: Could not transition to stopped", "InfrastructureLost"),
        (None, "It said CannotPullContainerError", "InfrastructureLost"),
    ],
)
@pytest.mark.parametrize("stop_code", ["EssentialContainerExited", None])
def test_container_that_never_ran(
    code: int | None, reason: str, expected: str, stop_code: str | None
) -> None:
    """A container that could not be started failed to start, unless its exit code says it ran."""
    assert kind(stopped(container(code, reason=reason), stopCode=stop_code)) == expected


@pytest.mark.parametrize("reason", ["CannotInspectContainerError", "CannotDescribeContainerError"])
def test_container_that_could_not_be_looked_at(reason: str) -> None:
    """A container of a task that began is lost, not unstarted, where ECS could not look at it."""
    task = stopped(container(None, reason=f"{reason}: who knows"))
    assert kind(task) == "FailedToStart"
    assert kind(task | {"startedAt": "2026-01-05T09:00:31.402Z"}) == "InfrastructureLost"


@pytest.mark.parametrize(
    "stop_code", ["UserInitiated", "SpotInterruption", "InfrastructureHealth", "InventedTomorrow"]
)
def test_never_ran_whatever_the_stop_code(stop_code: str) -> None:
    """A container that could not be started failed to start, unless a stop broke off its pull."""
    missing = container(None, reason="CannotPullContainerError: not found")
    assert kind(stopped(missing, stopCode=stop_code)) == "FailedToStart"
    broken_off = container(None, reason="CannotPullContainerError: context canceled")
    assert kind(stopped(broken_off, stopCode=stop_code)) != "FailedToStart"


@pytest.mark.parametrize("code", [0, 1, 137, None])
@pytest.mark.parametrize("reason", [OUT_OF_MEMORY, "Out of memory", "killed: OOM"])
def test_out_of_memory_beats_exit_code(code: int | None, reason: str) -> None:
    """The container's reason beats its code: a kill for memory has been seen with exit code 0."""
    assert kind(stopped(container(code, reason=reason))) == "OutOfMemory"


def test_out_of_memory_is_the_containers_word() -> None:
    """Memory that only the task's reason speaks of is not the main container's end."""
    assert kind(stopped(container(1), stoppedReason=OUT_OF_MEMORY)) == "ApplicationFailed"
    room = container(1, reason="no room for the boomerang")
    assert kind(stopped(room)) == "ApplicationFailed"


@pytest.mark.parametrize("ending", [TimedOut(), Cancelled(detail="Its execution was stopped")])
@pytest.mark.parametrize("code", [0, 143, None])
def test_own_stop(ending: Outcome, code: int | None) -> None:
    """A stop of ours is recognised by its reason, and has the outcome that the reason names."""
    reason, began = stop_reason(ending), "2026-01-05T09:00:31.402Z"
    task = stopped(container(code), stopCode="UserInitiated", stoppedReason=reason, startedAt=began)
    assert kind(task) == ending.kind


@pytest.mark.parametrize("ending", [TimedOut(), FailedToStart(detail="Not started in 30 s")])
@pytest.mark.parametrize(
    ("code", "began", "expected"),
    [
        (None, None, "FailedToStart"),
        (None, "2026-01-05T09:00:31.402Z", "TimedOut"),
        # A container that the task had not waited for was running before the others.
        (143, None, "TimedOut"),
        (0, None, "TimedOut"),
    ],
)
def test_own_stop_for_time(
    ending: Outcome, code: int | None, began: str | None, expected: str
) -> None:
    """A timeout of work that never began is a failed start, which may be retried."""
    task = stopped(
        container(code),
        stopCode="UserInitiated",
        stoppedReason=stop_reason(ending),
        startedAt=began,
    )
    outcome = classify(task, WORKER)
    assert outcome is not None
    assert outcome.kind == expected
    assert getattr(outcome, "transient", True)


@pytest.mark.parametrize(
    "reason",
    ["TimedOut", "stopped: durable-task/TimedOut", "durable-task/Succeeded: fine", None],
)
def test_somebodys_stop(reason: str | None) -> None:
    """A StopTask without a reason of ours is StoppedByUser."""
    task = stopped(container(0), stopCode="UserInitiated", stoppedReason=reason)
    assert kind(task) == "StoppedByUser"


def test_our_reason_without_our_call() -> None:
    """A stop that no StopTask made is not ours, whatever its reason says."""
    reason = stop_reason(TimedOut())
    task = stopped(container(0), stopCode="TerminationNotice", stoppedReason=reason)
    assert kind(task) == "InfrastructureLost"


@pytest.mark.parametrize(
    "stop_code", ["ServiceSchedulerInitiated", "UserInitiated", "TaskFailedToStart", None]
)
@pytest.mark.parametrize("code", [0, 137, None])
@pytest.mark.parametrize(
    "reason",
    [
        "ECS is performing maintenance on the underlying infrastructure hosting the task.",
        "Host EC2 (instance i-0f1e2d3c4b5a69788) terminated.",
        "Host EC2 (instance i-0f1e2d3c4b5a69788) stopped.",
    ],
)
def test_lost_host(stop_code: str | None, code: int | None, reason: str) -> None:
    """A task whose host AWS takes away is lost, not stopped by a person or by its work."""
    task = stopped(container(code), stopCode=stop_code, stoppedReason=reason)
    is_done = stop_code == "TaskFailedToStart" and code == 0
    assert kind(task) == ("Succeeded" if is_done else "InfrastructureLost")


@pytest.mark.parametrize("reason", ["Your Spot Task was interrupted.", "Spot interruption"])
@pytest.mark.parametrize(
    "stop_code",
    [
        *(None, "SpotInterruption", "TerminationNotice", "EssentialContainerExited"),
        *("TaskFailedToStart", "ServiceSchedulerInitiated", "InfrastructureHealth", "Tomorrows"),
    ],
)
def test_spot_by_its_reason(reason: str, stop_code: str | None) -> None:
    """A Spot interruption is known by its reason, whatever the stop code is."""
    task = stopped(container(143), stopCode=stop_code, stoppedReason=reason)
    assert kind(task) == "SpotInterrupted"


@pytest.mark.parametrize(
    "image", ["spot-interrupt-handler", "spot/interrupter", "on.spot-interrupt"]
)
def test_image_called_like_spot(image: str) -> None:
    """An image that cannot be pulled is no Spot interruption, whatever its name."""
    reason = f"CannotPullContainerError: failed to resolve ref registry.test/{image}:1: not found"
    outcome = classify(stopped(stopCode="TaskFailedToStart", stoppedReason=reason), WORKER)
    assert isinstance(outcome, FailedToStart)
    assert not outcome.transient


def test_spot_in_somebodys_words() -> None:
    """A StopTask is StoppedByUser, unless its reason is exactly ECS's sentence about Spot."""
    task = stopped(container(143), stopCode="UserInitiated", stoppedReason="spot interrupted us")
    assert kind(task) == "StoppedByUser"
    assert kind(task | {"stoppedReason": "Your Spot Task was interrupted."}) == "SpotInterrupted"


@pytest.mark.parametrize("stop_code", ["EssentialContainerExited", "TaskFailedToStart"])
def test_done_before_spot(stop_code: str) -> None:
    """Work that ended by itself before its Spot interruption is done."""
    reason = "Your Spot Task was interrupted."
    assert kind(stopped(container(0), stopCode=stop_code, stoppedReason=reason)) == "Succeeded"


def test_main_container_by_name() -> None:
    """Sidecars have no say in the kind, wherever they stand and however they ended."""
    sidecars = [
        container(1, name="aws-guardduty-agent", reason=OUT_OF_MEMORY),
        container(0, name="log-router"),
    ]
    assert kind(stopped(*sidecars, container(0))) == "Succeeded"
    assert kind(stopped(container(3), *sidecars)) == "ApplicationFailed"
    assert kind(stopped(sidecars[1])) == "InfrastructureLost"
    assert kind(stopped(container(0, name="worker-2"))) == "InfrastructureLost"


@pytest.mark.parametrize(
    ("began", "expected"),
    [(None, "FailedToStart"), ("2026-01-05T09:00:31.402Z", "InfrastructureLost")],
)
def test_main_container_kept_from_starting(began: str | None, expected: str) -> None:
    """A container beside the main one that failed before it began has kept it from starting."""
    outcome = classify(stopped(container(1, name="init"), startedAt=began), WORKER)
    assert outcome is not None
    assert outcome.kind == expected
    assert "init exited with 1" in outcome.detail


@pytest.mark.parametrize("name", ["throttler", "DD-AGENT", "eni-watch", "LOCATION"])
def test_container_called_like_a_cause(name: str) -> None:
    """The name of a container that kept the main one from starting is no cause."""
    outcome = classify(stopped(container(1, name=name)), WORKER)
    assert isinstance(outcome, FailedToStart)
    assert not outcome.transient
    assert outcome.advice.startswith(f"{name} exited with 1 before the main container could start")


def test_lost_before_the_main_container_began() -> None:
    """A task on a failed host is lost, whatever exit codes other containers have."""
    task = stopped(container(1, name="init"), stopCode="InfrastructureHealth")
    assert kind(task) == "InfrastructureLost"


@pytest.mark.parametrize("containers", [None, []])
def test_no_containers(containers: list[object] | None) -> None:
    """A task without containers has no exit code, and its stop code decides."""
    assert kind(stopped(containers=containers)) == "InfrastructureLost"
    failed = stopped(containers=containers, stopCode="TaskFailedToStart")
    assert kind(failed) == "FailedToStart"
