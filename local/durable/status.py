"""Lambda's messages about an execution: status events, and dead letters of failed ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.utils import iso_8601_datetime_with_milliseconds

from local.durable.store import status_of
from local.events.envelope import envelope

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python_testing.execution import Execution

    from local.stack import Stack

# Lambda's values for the dead letter of a failed function: the code, and the message's length.
_FUNCTION_FAILED = 200
_LONGEST_MESSAGE = 1024


def event(execution: Execution, stack: Stack) -> dict[str, Any]:
    """Return the `Durable Execution Status Change` event."""
    whole = execution.get_operation_execution_started()
    detail = {
        "durableExecutionArn": execution.durable_execution_arn,
        "durableExecutionName": execution.start_input.execution_name,
        "functionArn": execution.function_arn(stack.region),
        "status": status_of(execution).value,
        "startTimestamp": _iso(whole.start_timestamp),
        "endTimestamp": _iso(whole.end_timestamp),
    }
    known = {name: value for name, value in detail.items() if value is not None}
    return envelope(stack, "aws.lambda", "Durable Execution Status Change", known)


def dead_letter(execution: Execution) -> tuple[str, dict[str, str | int]]:
    """Return the payload of a failed execution, and the attributes that say how it failed."""
    error = execution.result.error if execution.result else None
    message = (error.message if error else None) or "The execution failed."
    return execution.start_input.input or "{}", {
        "RequestID": execution.durable_execution_arn.rpartition("/")[2],
        "ErrorCode": _FUNCTION_FAILED,
        "ErrorMessage": message[:_LONGEST_MESSAGE],
    }


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return iso_8601_datetime_with_milliseconds(moment.astimezone(UTC))
