"""What a container has logged last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.clients import client
from adapters.errors import AwsBusyError, AwsRefusedError, aws_errors
from core.evidence import LOG_LINES, Evidence, console_link, log_stream, shortened

if TYPE_CHECKING:
    from adapters.settings import Settings
    from core.job import Job
    from core.outcome import Outcome


def evidence(settings: Settings, job: Job, outcome: Outcome) -> Evidence | None:
    """Return what is left of an outcome's task; None where no task came to be.

    Never a reason to fail: lines that cannot be read are left out.
    """
    if outcome.task_arn is None:
        return None
    stream = log_stream(settings.task_log_prefix, job.container, outcome.task_arn)
    is_told = settings.log_tail == "yes"
    tail = shortened(_tail(settings.task_log_group, stream)) if is_told else None
    return Evidence(settings.task_log_group, stream, console_link(outcome.task_arn), tail)


def _tail(group: str, stream: str) -> list[str]:
    try:
        with aws_errors():
            answer = client("logs").get_log_events(
                logGroupName=group, logStreamName=stream, limit=LOG_LINES, startFromHead=False
            )
    except (AwsBusyError, AwsRefusedError):
        return []
    return [event["message"] for event in answer["events"]]
