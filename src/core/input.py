"""The input: handed to the container as text while it is short, else as an object in S3."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from core import data
from core.reading import InvalidRequestError

# Counted as within RunTask's overrides: the variable's value, written as JSON.
MAX_INLINE = 4_096
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Input:
    """An input as the container gets it, the same in each attempt and at each replay.

    Attributes:
        text: JSON text; None where the input is an object.
        uri: the object's address, `s3://BUCKET/KEY`.
        sha256: SHA-256 of the object's bytes, in hexadecimal digits, if the stack puts it.
        body: the object's bytes, if the stack puts it.
    """

    text: str | None = None
    uri: str | None = None
    sha256: str | None = None
    body: bytes | None = None


def place(value: object, bucket: str, execution_id: str) -> Input:
    """Return how a value reaches the container.

    Args:
        value: any JSON value; None for no input.
        bucket: the stack's data bucket.
        execution_id: the execution's id.

    Raises:
        InvalidRequestError: the value cannot be written as JSON text.
    """
    if value is None:
        return Input()
    text = _text(value)
    if len(json.dumps(text)) <= MAX_INLINE:
        return Input(text)
    body = text.encode()
    sha256 = hashlib.sha256(body).hexdigest()
    uri = data.uri(bucket, data.input_key(execution_id, sha256))
    return Input(uri=uri, sha256=sha256, body=body)


def named(uri: str) -> Input:
    """Return the input that an object of the caller's holds.

    Raises:
        InvalidRequestError: the text names no object.
    """
    address = data.address(uri)
    if address is None or "\0" in address.key:
        expected = f"s3://BUCKET/KEY, with a key of up to {data.MAX_KEY_BYTES} bytes"
        raise InvalidRequestError("inputUri", uri, expected)
    return Input(uri=uri)


def check_lasting(given: Input, value: object, seconds: int, retention_days: int) -> None:
    """Refuse an input whose object may expire before its last attempt has read it.

    Args:
        given: the input as the container gets it.
        value: the input as the payload has it.
        seconds: how long all attempts, and the times between them, may take.
        retention_days: days for which the bucket keeps objects.

    Raises:
        InvalidRequestError: says which DataRetentionDays would do.
    """
    days = -(-seconds // _SECONDS_A_DAY)
    if given.body is not None and days > retention_days:
        expected = (
            f"at most {MAX_INLINE} characters when written as JSON text, or shorter attempts: "
            f"they may take {seconds} s, and the data bucket keeps objects for {retention_days} "
            f"days. Or set DataRetentionDays to {days} at least"
        )
        raise InvalidRequestError("input", value, expected)


def _text(value: object) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        expected = "a JSON value, without NaN and Infinity"
        raise InvalidRequestError("input", value, expected) from None
    except RecursionError:
        raise InvalidRequestError("input", value, "a value that is nested less deeply") from None
