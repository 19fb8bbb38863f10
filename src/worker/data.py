"""Objects in S3, by their addresses: inputs and results that are too large for other places."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import HTTPClientError, IncompleteReadError

if TYPE_CHECKING:
    from botocore.client import BaseClient

# Number of tries at a body that breaks off; botocore itself retries earlier faults.
_READS = 5


def get(uri: str) -> bytes:
    """Return an object's bytes.

    Args:
        uri: `s3://BUCKET/KEY`.

    Raises:
        botocore.exceptions.ClientError: S3 refused it, or did not answer.
        botocore.exceptions.BotoCoreError: the body broke off, at each try.
    """
    bucket, key = _parts(uri)
    for _ in range(_READS - 1):
        try:
            return _read(bucket, key)
        except (HTTPClientError, IncompleteReadError):
            continue
    return _read(bucket, key)


def put(uri: str, body: bytes) -> None:
    """Store JSON as an object; a repeated call changes nothing.

    Raises:
        botocore.exceptions.ClientError: S3 refused it, or did not answer.
    """
    bucket, key = _parts(uri)
    _s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def _read(bucket: str, key: str) -> bytes:
    body: bytes = _s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@cache
def _s3() -> BaseClient:
    # The work is worth many tries, before it begins and once it is done.
    retries = {"mode": "standard", "total_max_attempts": 12}
    config = Config(connect_timeout=5, read_timeout=60, retries=retries)
    return boto3.client("s3", config=config)
