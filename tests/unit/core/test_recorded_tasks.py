"""Real Fargate events of 2019 and 2020, reduced to what tells an end, their ids replaced."""

from __future__ import annotations

from typing import Any

from core.correlation import Correlation
from core.outcome import ApplicationFailed, StoppedByUser, Succeeded, classify

TASK_ARN = "arn:aws:ecs:us-east-1:123456789012:task/7e0f2f53-6a54-4d1b-9a55-2d3a0c6d7b11"

# From the end of a task that worked for 35 minutes; STOPPED was its version 5.
DEPROVISIONING: dict[str, Any] = {
    "taskArn": TASK_ARN,
    "version": 4,
    "lastStatus": "DEPROVISIONING",
    "desiredStatus": "STOPPED",
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "launchType": "FARGATE",
    "createdAt": "2019-11-19T20:38:07.789Z",
    "pullStartedAt": "2019-11-19T20:38:24.975Z",
    "pullStoppedAt": "2019-11-19T20:38:27.975Z",
    "startedAt": "2019-11-19T20:38:27.975Z",
    "executionStoppedAt": "2019-11-19T21:13:24Z",
    "stoppingAt": "2019-11-19T21:13:34.795Z",
    "containers": [{"name": "intake", "lastStatus": "STOPPED", "exitCode": 0, "cpu": "0"}],
}

FAILED: dict[str, Any] = {
    "taskArn": TASK_ARN,
    "version": 5,
    "lastStatus": "STOPPED",
    "desiredStatus": "STOPPED",
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "launchType": "FARGATE",
    "createdAt": "2020-08-14T18:05:49.598Z",
    "pullStartedAt": "2020-08-14T18:06:09.694Z",
    "pullStoppedAt": "2020-08-14T18:06:16.694Z",
    "startedAt": "2020-08-14T18:06:20.694Z",
    "stoppingAt": "2020-08-14T18:06:23.679Z",
    "executionStoppedAt": "2020-08-14T18:06:23Z",
    "stoppedAt": "2020-08-14T18:06:47.229Z",
    "containers": [{"name": "main", "lastStatus": "STOPPED", "exitCode": 1, "cpu": "0"}],
}

STOPPED_BY_A_PERSON: dict[str, Any] = {
    "taskArn": TASK_ARN,
    "version": 6,
    "lastStatus": "STOPPED",
    "desiredStatus": "STOPPED",
    "stopCode": "UserInitiated",
    "stoppedReason": "Task stopped by user",
    "startedBy": "ecs-svc/0011223344556677889",
    "launchType": "FARGATE",
    "createdAt": "2020-10-08T14:25:20.227Z",
    "pullStartedAt": "2020-10-08T14:25:39.75Z",
    "pullStoppedAt": "2020-10-08T14:25:46.75Z",
    "startedAt": "2020-10-08T14:25:48.75Z",
    "stoppingAt": "2020-10-08T14:26:43.833Z",
    "executionStoppedAt": "2020-10-08T14:26:44Z",
    "stoppedAt": "2020-10-08T14:27:07.323Z",
    "containers": [{"name": "Nginx", "lastStatus": "STOPPED", "exitCode": 0, "cpu": "0"}],
}


def test_deprovisioning() -> None:
    """The event of DEPROVISIONING reports a success, seconds before STOPPED."""
    assert classify(DEPROVISIONING, "intake") == Succeeded(
        task_arn=TASK_ARN,
        exit_code=0,
        created_at="2019-11-19T20:38:07.789Z",
        pull_started_at="2019-11-19T20:38:24.975Z",
        pull_stopped_at="2019-11-19T20:38:27.975Z",
        started_at="2019-11-19T20:38:27.975Z",
        stopping_at="2019-11-19T21:13:34.795Z",
        stopped_at="2019-11-19T21:13:24Z",
        capacity="FARGATE",
        detail="Essential container in task exited",
    )


def test_failed() -> None:
    """The event of STOPPED reports a failure, with the moment of the container's end."""
    assert classify(FAILED, "main") == ApplicationFailed(
        task_arn=TASK_ARN,
        exit_code=1,
        created_at="2020-08-14T18:05:49.598Z",
        pull_started_at="2020-08-14T18:06:09.694Z",
        pull_stopped_at="2020-08-14T18:06:16.694Z",
        started_at="2020-08-14T18:06:20.694Z",
        stopping_at="2020-08-14T18:06:23.679Z",
        stopped_at="2020-08-14T18:06:23Z",
        capacity="FARGATE",
        detail="Essential container in task exited",
    )


def test_stopped_by_a_person() -> None:
    """A task that a person stopped did not succeed, although its container exited with 0."""
    assert classify(STOPPED_BY_A_PERSON, "Nginx") == StoppedByUser(
        task_arn=TASK_ARN,
        exit_code=0,
        created_at="2020-10-08T14:25:20.227Z",
        pull_started_at="2020-10-08T14:25:39.75Z",
        pull_stopped_at="2020-10-08T14:25:46.75Z",
        started_at="2020-10-08T14:25:48.75Z",
        stopping_at="2020-10-08T14:26:43.833Z",
        stopped_at="2020-10-08T14:26:44Z",
        capacity="FARGATE",
        detail="Task stopped by user",
    )


def test_services_tasks_are_not_ours() -> None:
    """The `startedBy` that ECS gives to a service's tasks is not of our form."""
    assert Correlation.parse(STOPPED_BY_A_PERSON["startedBy"]) is None
