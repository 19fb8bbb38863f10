"""The places in the data bucket: an execution's input, and the results of its attempts.

They are a contract: the grants of functions and workers in template.yaml name these prefixes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

INPUTS, RESULTS = "inputs/", "results/"
MAX_KEY_BYTES = 1_024
_ANY_TICKET = "[0-9a-f]{32}"
_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)", re.DOTALL)


class Address(NamedTuple):
    """An object's place in S3."""

    bucket: str
    key: str


def input_key(execution_id: str, sha256: str) -> str:
    """Return the key of an execution's input.

    Args:
        execution_id: the execution's id.
        sha256: SHA-256 of the input's bytes, in hexadecimal digits.
    """
    return f"{INPUTS}{execution_id}/{sha256}.json"


def result_prefix(bucket: str, execution_id: str, attempt: int, ticket: str) -> str:
    """Return the prefix of the objects of an attempt's container: a URI with a slash at its end.

    The ticket is random, so no container guesses another's prefix; SECURITY.md names the limits.
    """
    return uri(bucket, f"{RESULTS}{execution_id}/{attempt}-{ticket}/")


def uri(bucket: str, key: str) -> str:
    """Return an object's address as one text, `s3://BUCKET/KEY`."""
    return f"s3://{bucket}/{key}"


def is_result_of(
    uri: str, bucket: str, execution_id: str, attempt: object, ticket: str | None
) -> bool:
    """Whether a text names the prefix of an attempt's results, or an address below it.

    Args:
        uri: the text.
        bucket: the data bucket.
        execution_id: the execution's id.
        attempt: the attempt's number.
        ticket: the attempt's ticket; None for any.
    """
    place = address(uri)
    if place is None or place.bucket != bucket:
        return False
    own = rf"{RESULTS}{re.escape(execution_id)}/{attempt}-{ticket or _ANY_TICKET}/"
    return re.match(own, place.key) is not None


def address(uri: str) -> Address | None:
    """Return the object that a text of the form `s3://BUCKET/KEY` names; None for any other."""
    match = _URI.fullmatch(uri)
    if match is None or len(match["key"].encode(errors="replace")) > MAX_KEY_BYTES:
        return None
    return Address(match["bucket"], match["key"])
