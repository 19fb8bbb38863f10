"""A durable execution as Lambda shows it: its status, its end, its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def status(execution_arn: str) -> str | None:
    """Return a durable execution's status; None where Lambda does not know it.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    found: str | None = _execution(execution_arn).get("Status")
    return found


def ended_at(execution_arn: str) -> datetime | None:
    """Return when a durable execution ended; None where Lambda does not know it, or it goes on.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    found: datetime | None = _execution(execution_arn).get("EndTimestamp")
    return found


def error_data(execution_arn: str) -> str | None:
    """Return the data of a failed execution's error; None where there is none.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    data: str | None = _execution(execution_arn).get("Error", {}).get("ErrorData")
    return data


def _execution(execution_arn: str) -> Mapping[str, Any]:
    """Return GetDurableExecution's answer; empty where Lambda does not know the execution."""
    try:
        with aws_errors():
            answer = client("lambda").get_durable_execution(DurableExecutionArn=execution_arn)
    except AwsRefusedError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise
    return dict(answer)
