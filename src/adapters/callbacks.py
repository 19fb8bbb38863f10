"""Answers to durable callbacks, and what became of an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

# A callback that was answered, has expired or whose execution is over: Lambda's API has both.
_CLOSED = frozenset({"CallbackTimeoutException", "ResourceNotFoundException"})


def succeed(callback_id: str, result: str) -> bool:
    """Complete a callback with a result of at most 256 KiB.

    Returns:
        False where the callback was closed before.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not take the answer.
    """
    return _answer(
        "send_durable_execution_callback_success",
        CallbackId=callback_id,
        Result=result.encode(),
    )


def fail(callback_id: str, message: str, data: str) -> bool:
    """Complete a callback with a failure; the data arrives as that of its error.

    Returns:
        False where the callback was closed before.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not take the answer.
    """
    # ErrorType is lost on the way, so the kind travels in the data.
    error = {"ErrorMessage": message, "ErrorData": data}
    return _answer("send_durable_execution_callback_failure", CallbackId=callback_id, Error=error)


def execution_status(execution_arn: str) -> str | None:
    """Return a durable execution's status; None where Lambda does not know it.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    status: str | None = _execution(execution_arn).get("Status")
    return status


def error_data(execution_arn: str) -> str | None:
    """Return the data of a failed execution's error; None where there is none.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    data: str | None = _execution(execution_arn).get("Error", {}).get("ErrorData")
    return data


def _execution(execution_arn: str) -> Mapping[str, Any]:
    """Ask for a durable execution; empty where Lambda does not know it."""
    try:
        with aws_errors():
            answer = client("lambda").get_durable_execution(DurableExecutionArn=execution_arn)
    except AwsRefusedError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise
    return dict(answer)


def _answer(operation: str, **parameters: object) -> bool:
    try:
        with aws_errors():
            getattr(client("lambda"), operation)(**parameters)
    except AwsRefusedError as error:
        if error.code in _CLOSED:
            return False
        raise
    return True
