"""The last log lines of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.clients import client
from adapters.errors import AwsBusyError, AwsRefusedError, aws_errors
from core.evidence import LOG_LINES, Evidence, console_link, log_stream, shared

if TYPE_CHECKING:
    from adapters.settings import Settings
    from core.job import Job
    from core.outcome import Outcome


def evidence(settings: Settings, job: Job, outcome: Outcome) -> Evidence | None:
    """Return the evidence of an outcome's task; None where there was no task.

    It never raises an error: lines that cannot be read are left out.
    """
    if outcome.task_arn is None:
        return None
    group, prefix = settings.task_log_group, settings.task_log_prefix
    stream, other = log_stream(prefix, job.container, outcome.task_arn), None
    if outcome.ended_by:
        other = log_stream(prefix, outcome.ended_by.name, outcome.task_arn)
    link = console_link(outcome.task_arn)
    if settings.log_tail == "no":
        return Evidence(group, stream, link, None, other)
    tail, beside = shared(_tail(group, stream), _tail(group, other) if other else [])
    return Evidence(group, stream, link, tail, other, beside if other else None)


def _tail(group: str, stream: str) -> list[str]:
    try:
        with aws_errors():
            answer = client("logs").get_log_events(
                logGroupName=group, logStreamName=stream, limit=LOG_LINES, startFromHead=False
            )
    except (AwsBusyError, AwsRefusedError):
        return []
    return [event["message"] for event in answer["events"]]
