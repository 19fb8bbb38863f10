"""Stray items: items of the records table that no launch has made.

A worker's UpdateItem makes an item where there is none: IAM can restrict it to columns, but not to
existing items. The stack's own records are open, or they expire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from adapters.clients import client
from adapters.errors import aws_errors
from adapters.updates import conditional, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

STRAY = Attr("open").not_exists() & Attr("expiresAt").not_exists()


def pages(table: str, part: int, parts: int) -> Iterator[list[str]]:
    """Yield the keys of stray items in one of the table's equal parts, page by page.

    A page is the 1 MB that DynamoDB reads at a time; it may hold no key. The read may be stale.

    Raises:
        AwsBusyError, AwsRefusedError: DynamoDB did not answer.
    """
    built = conditional(STRAY)
    found = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=table,
            Segment=part,
            TotalSegments=parts,
            FilterExpression=built["ConditionExpression"],
            ExpressionAttributeNames=built["ExpressionAttributeNames"],
            ProjectionExpression="executionId",
        )
    )
    with aws_errors():
        for page in found:
            yield [str(plain(item)["executionId"]) for item in page["Items"]]
