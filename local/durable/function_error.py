"""The error of a failed function, as an execution keeps it and as Lambda answers it."""

from __future__ import annotations

import json

from aws_durable_execution_sdk_python.lambda_service import ErrorObject

# Names in Lambda's answer for the attributes of an error.
_FIELDS = {
    "errorType": "type",
    "errorMessage": "message",
    "errorData": "data",
    "stackTrace": "stack_trace",
}


def written(error: ErrorObject) -> bytes:
    """Return the payload of Lambda's answer."""
    fields = {name: getattr(error, attribute) for name, attribute in _FIELDS.items()}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def read(payload: bytes) -> ErrorObject:
    """Return the error in the payload of Lambda's answer."""
    fields = json.loads(payload)
    return ErrorObject(**{attribute: fields.get(name) for name, attribute in _FIELDS.items()})
