"""Ends of tasks that people have met, and what is right about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER = "worker"
_ESSENTIAL = "Essential container in task exited"
_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An end as ECS tells it.

    Attributes:
        task: as events and DescribeTasks show it.
        kind: of the outcome that it is.
        tasks: how many an execution starts by default, if each of them ends like that.
        transient: whether a start that failed may well succeed later; None for other ends.
        names: words that the advice has to have.
    """

    task: Mapping[str, Any]
    kind: str
    tasks: int = 1
    transient: bool | None = None
    names: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the work was done."""
        return self.kind == "Succeeded"


def _container(
    code: int | None = None, *, name: str = CONTAINER, reason: str | None = None
) -> dict[str, Any]:
    told = {"name": name, "lastStatus": "STOPPED", "exitCode": code, "reason": reason}
    return {member: value for member, value in told.items() if value is not None}


def _task(stop_code: str | None, reason: str, *containers: Any, **more: Any) -> dict[str, Any]:
    told = {
        "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/demo-cluster/"
        "0123456789abcdef0123456789abcdef",
        "launchType": "FARGATE",
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "stopCode": stop_code,
        "stoppedReason": reason,
        "containers": list(containers or [_container()]),
        **more,
    }
    return {member: value for member, value in told.items() if value is not None}


_NOT_STARTED = {
    "createdAt": "2026-01-05T09:00:00.248Z",
    "stoppedAt": "2026-01-05T09:02:30.776Z",
}
_STARTED = {
    "startedAt": "2026-01-05T09:00:31.402Z",
    "stoppingAt": "2026-01-05T09:08:11.353Z",
    "executionStoppedAt": "2026-01-05T09:07:46.256Z",
    "stoppedAt": "2026-01-05T09:08:24.435Z",
}


def _start_failed(reason: str, *names: str) -> Case:
    """Return a failed start that may pass, and whose advice has these words."""
    return Case(
        task=_task("TaskFailedToStart", reason, **_NOT_STARTED),
        kind="FailedToStart",
        tasks=3,
        transient=True,
        names=names,
    )


CASES: Mapping[str, Case] = {
    "the work was done before a container beside it could start": Case(
        task=_task(
            "TaskFailedToStart",
            "Task failed to start",
            _container(name="guard"),
            _container(0),
            **_NOT_STARTED,
        ),
        kind="Succeeded",
    ),
    "the work was done before the image of a container beside it was there": Case(
        task=_task(
            "TaskFailedToStart",
            "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: read "
            "tcp 192.0.2.9:443: connection reset by peer",
            _container(name="guard"),
            _container(0),
            **_NOT_STARTED,
        ),
        kind="Succeeded",
    ),
    "the container waited in vain for another": Case(
        task=_task(
            "EssentialContainerExited",
            _ESSENTIAL,
            _container(1, name="init"),
            _container(
                143,
                reason="CannotStartContainerError: dependency graph: failed to resolve container "
                "ordering dependency [init (STOPPED->RUNNING) - Exit: 1] for target [worker "
                "(NONE->RUNNING)] as dependency did not exit successfully.",
            ),
            **_NOT_STARTED,
        ),
        kind="FailedToStart",
        transient=False,
        names=("init", "exited with 1"),
    ),
    "there is no such image, which the container alone tells": Case(
        task=_task(
            "EssentialContainerExited",
            _ESSENTIAL,
            _container(
                reason="CannotPullContainerError: API error (404): repository acme/worker not "
                "found: does not exist or no pull access"
            ),
            **_NOT_STARTED,
        ),
        kind="FailedToStart",
        transient=False,
        names=("no such image",),
    ),
    "there is no log group, and no stop code": Case(
        task=_task(
            None,
            _ESSENTIAL,
            _container(
                reason="CannotStartContainerError: API error (500): failed to initialize logging "
                "driver: ResourceNotFoundException: The specified log group does not exist."
            ),
            launchType="EC2",
            **_NOT_STARTED,
        ),
        kind="FailedToStart",
        transient=False,
        names=("log group",),
    ),
    "the start hung until it was stopped": Case(
        task=_task(
            "UserInitiated",
            "durable-task/TimedOut: The task exceeded its timeout and was stopped.",
            **_NOT_STARTED,
        ),
        kind="FailedToStart",
        tasks=3,
        transient=True,
        names=("never ran", "startTimeoutSeconds"),
    ),
    "the subnet has no way out": _start_failed(
        f"{_SECRETS}unable to retrieve ecr registry auth: service call has been retried 3 "
        "time(s): RequestError: send request failed caused by: Post "
        '"https://api.ecr.us-east-1.amazonaws.com/": dial tcp 192.0.2.10:443: i/o timeout. '
        "Please check your task network configuration.",
        "public address",
        "NAT",
        "endpoints",
        "security group",
    ),
    "a layer could not be mounted": _start_failed(
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract "
        "layer sha256:0f1e: mount callback failed on /tmp/containerd-mount1: invalid argument",
        "pull",
    ),
    "the registry's gateway timed out": _start_failed(
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: "
        "httpReadSeeker: failed open: unexpected status code "
        "https://registry.example.com/v2/acme/worker/blobs/sha256:0f1e: 504 Gateway Time-out",
        "registry",
    ),
    "the network interface could not be attached": _start_failed(
        "Unexpected EC2 error while attempting to attach network interface to instance",
        "network interface",
    ),
    "the secret has no such key": Case(
        task=_task(
            "TaskFailedToStart",
            f"{_SECRETS}unable to retrieve secret from asm: service call has been retried 1 "
            "time(s): retrieved secret from Secrets Manager did not contain json key API_KEY",
            _container(name="watchdog"),
            _container(name="log-router"),
            _container(),
            **_NOT_STARTED,
        ),
        kind="FailedToStart",
        transient=False,
        names=("secret", "key"),
    ),
    "Spot took the task under another stop code": Case(
        task=_task(
            "TerminationNotice",
            "Your Spot Task was interrupted.",
            _container(143),
            capacityProviderName="FARGATE_SPOT",
            **_STARTED,
        ),
        kind="SpotInterrupted",
        tasks=3,
        names=("FARGATE",),
    ),
    "a watchdog beside the work ended the task": Case(
        task=_task(
            "EssentialContainerExited",
            _ESSENTIAL,
            _container(1, name="watchdog"),
            _container(0, name="log-router"),
            _container(0, name="forwarder"),
            _container(143),
            _container(143, name="browser"),
            version=7,
            **_STARTED,
        ),
        kind="ApplicationFailed",
        names=("watchdog", "exited with 1"),
    ),
}
