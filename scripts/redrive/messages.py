"""Reading a queue of the stack, and showing what a message may have put there."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# How long a message that is taken stays hidden from others, in seconds.
_HIDDEN = 120


def messages(url: str) -> Iterator[dict[str, Any]]:
    """Yield all that is in a queue now, each message once; what comes later is left."""
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
        # Messages that are left come back in a long run, and those that fail again come anew.
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
