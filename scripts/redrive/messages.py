"""Reading a queue of the stack, and showing what a message may have put there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# How long a message that is taken stays hidden from others, in seconds.
_HIDDEN = 120


def messages(url: str) -> Iterator[dict[str, Any]]:
    """Yield all that is in a queue now, each message once."""
    sqs, seen = boto3.client("sqs"), set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            AttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
            VisibilityTimeout=_HIDDEN,
            WaitTimeSeconds=1,
        )
        if not answer.get("Messages"):
            return
        # What is left comes back while a long run goes on.
        fresh = [m for m in answer["Messages"] if m["MessageId"] not in seen]
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def put_back(url: str, taken: Iterable[dict[str, Any]]) -> None:
    """Show messages again, to whoever looks next."""
    sqs = boto3.client("sqs")
    for message in taken:
        receipt = message["ReceiptHandle"]
        # After a long run it is seen again already; else it will be, without this.
        with suppress(ClientError):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)


def attribute(message: dict[str, Any], name: str) -> str:
    """Return the text of a message's attribute; "" if it has none."""
    return str(message.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))


def shown(text: str) -> str:
    """Return what a message may have put there on one line, its control characters escaped."""
    return text.encode("unicode_escape").decode()
