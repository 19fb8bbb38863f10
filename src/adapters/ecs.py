"""ECS tasks: start, look, find, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors
from core import correlation
from core.launch import refused
from core.outcome import FailedToStart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.launch import Launch, Place

# ECS's limit for a StopTask's reason; ECS refuses longer ones.
MAX_REASON = 255


def run_task(launch: Launch, place: Place) -> str | FailedToStart:
    """Start the launch's task; the same launch again starts no second one.

    Returns:
        The task's ARN, or the outcome of an answer without a task: `failures[]`, or a conflict.

    Raises:
        AwsBusyError: throttled or unanswered; the same launch may be repeated.
        AwsRefusedError: the request is wrong or forbidden.
    """
    try:
        with aws_errors():
            answer = client("ecs").run_task(**launch.request(place))
    except AwsRefusedError as error:
        # Another request has used the token: its task is this launch's task.
        if error.code != "ConflictException":
            raise
        if error.resource_ids:
            return error.resource_ids[0]
        # The token started no task. The difference, for example a ticket that a worker
        # overwrote, may stay.
        return FailedToStart(detail=str(error), transient=True)
    if not answer["tasks"]:
        return refused(answer["failures"])
    return str(answer["tasks"][0]["taskArn"])


def find_task(cluster: str, family: str | None, started_by: str) -> str | None:
    """Return the ARN of a family's task with this `startedBy`, running or stopped.

    Args:
        cluster: where to look.
        family: family of the record's job; None where the job is unknown, for any family.
        started_by: the name of the attempt.

    Raises:
        AwsBusyError, AwsRefusedError: ECS did not answer.
    """
    # ListTasks takes `startedBy` or `family`, not both. By default it lists tasks that are to run.
    for status in ({}, {"desiredStatus": "STOPPED"}):
        try:
            with aws_errors():
                answer = client("ecs").list_tasks(cluster=cluster, startedBy=started_by, **status)
        except AwsRefusedError as error:
            # ECS's documentation wants `startedBy` to be the only filter; ECS has accepted two.
            if not status or error.code != "InvalidParameterException":
                raise
            return None
        found = describe_tasks(cluster, answer["taskArns"])
        ours = (arn for arn, task in found.items() if family in (None, correlation.family(task)))
        if task_arn := next(ours, None):
            return task_arn
    return None


def describe_task(cluster: str, task_arn: str) -> Mapping[str, Any] | None:
    """Return the task as DescribeTasks shows it; None where ECS does not know it.

    Raises:
        AwsBusyError, AwsRefusedError: ECS did not answer.
    """
    with aws_errors():
        answer = client("ecs").describe_tasks(cluster=cluster, tasks=[task_arn])
    return answer["tasks"][0] if answer["tasks"] else None


def describe_tasks(cluster: str, task_arns: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return up to 100 tasks by ARN; those that ECS does not know are missing.

    Raises:
        AwsBusyError, AwsRefusedError: ECS did not answer.
    """
    if not task_arns:
        return {}
    with aws_errors():
        answer = client("ecs").describe_tasks(cluster=cluster, tasks=list(task_arns))
    return {task["taskArn"]: task for task in answer["tasks"]}


def running_tasks(cluster: str) -> Iterator[Mapping[str, Any]]:
    """Yield the cluster's tasks that are to run, as DescribeTasks shows them.

    Raises:
        AwsBusyError, AwsRefusedError: ECS did not answer.
    """
    pages = client("ecs").get_paginator("list_tasks").paginate(cluster=cluster)
    with aws_errors():
        for page in pages:
            yield from describe_tasks(cluster, page["taskArns"]).values()


def stop_task(cluster: str, task_arn: str, reason: str) -> None:
    """Ask ECS to stop a task; a stopped one stays as it is.

    Raises:
        AwsBusyError, AwsRefusedError: ECS did not answer.
    """
    with aws_errors():
        client("ecs").stop_task(cluster=cluster, task=task_arn, reason=reason[:MAX_REASON])
