"""Objects of the data bucket."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors

if TYPE_CHECKING:
    from core.data import Address


def put(address: Address, body: bytes, sha256: str) -> None:
    """Put JSON text; a repeated put of the same object changes nothing.

    Args:
        address: the object's address.
        body: the text's bytes.
        sha256: SHA-256 of these bytes, in hexadecimal digits; S3 compares it with the bytes it got.

    Raises:
        AwsBusyError: throttled or unanswered; the same call may be repeated.
        AwsRefusedError: forbidden, or there is no such bucket.
    """
    try:
        with aws_errors():
            client("s3").put_object(
                Bucket=address.bucket,
                Key=address.key,
                Body=body,
                ContentType="application/json",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            )
    except AwsRefusedError as error:
        where = f"s3://{address.bucket}/{address.key}"
        why = f"The input cannot be put into the data bucket, as {where}: {error}"
        raise AwsRefusedError(why, error.code) from error
