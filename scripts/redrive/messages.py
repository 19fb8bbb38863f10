"""The messages of a queue: they are read, put back, and shown as safe text."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Seconds for which a message that was taken stays hidden from others.
_HIDDEN = 120


def messages(url: str) -> Iterator[dict[str, Any]]:
    """Yield the messages that are in a queue now, each once; later ones are left."""
    sqs, now = boto3.client("sqs"), None
    seen, late = set[str](), dict[str, dict[str, Any]]()
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
            put_back(url, late.values())
            return
        now = now or asked_at(answer)
        # In a long run, messages that are left come back, and events that fail again come anew.
        late |= {m["MessageId"]: m for m in answer["Messages"] if sent(m) > now}
        fresh = [m for m in answer["Messages"] if m["MessageId"] not in seen | late.keys()]
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def asked_at(answer: dict[str, Any]) -> datetime:
    """Return the end of the second in which AWS answered, by its own clock."""
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return (parsedate_to_datetime(told) if told else datetime.now(UTC)) + timedelta(seconds=1)


def sent(message: dict[str, Any]) -> datetime:
    """Return when a message came into its queue."""
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def put_back(url: str, taken: Iterable[dict[str, Any]]) -> None:
    """Make messages visible again for the next reader."""
    sqs = boto3.client("sqs")
    for message in taken:
        receipt = message["ReceiptHandle"]
        # After a long run the message is visible already; otherwise it becomes visible by itself.
        with suppress(ClientError):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)


def attribute(message: dict[str, Any], name: str) -> str:
    """Return the text of a message's attribute; "" if it has none."""
    return str(message.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))


def shown(text: str) -> str:
    """Return a message's text on one line, its control characters escaped."""
    return text.encode("unicode_escape").decode()
