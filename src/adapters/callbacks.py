"""Answers to durable callbacks."""

from __future__ import annotations

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors

# Lambda's two errors for a callback that was answered, has expired, or whose execution is over.
_CLOSED = frozenset({"CallbackTimeoutException", "ResourceNotFoundException"})


def succeed(callback_id: str, result: str) -> bool:
    """Answer a callback with a result of at most 256 KiB.

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
    """Answer a callback with a failure; the waiting execution gets `data` as its error's data.

    Returns:
        False where the callback was closed before.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not take the answer.
    """
    # ErrorType is lost on the way, so the kind travels in the data.
    error = {"ErrorMessage": message, "ErrorData": data}
    return _answer("send_durable_execution_callback_failure", CallbackId=callback_id, Error=error)


def _answer(operation: str, **parameters: object) -> bool:
    try:
        with aws_errors():
            getattr(client("lambda"), operation)(**parameters)
    except AwsRefusedError as error:
        if error.code in _CLOSED:
            return False
        raise
    return True
