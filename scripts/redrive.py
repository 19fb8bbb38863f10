"""Deliver again what nobody could deliver or process: `python scripts/redrive.py STACK`.

Reads the stack's two queues of events and hands each event to the function that it was meant for.
Run it once the cause is fixed: an event that fails again comes back to its queue, and one that
cannot be delivered stays there and is named. Credentials and Region are those of the environment.
The durable functions' own queue is left alone, because delivering its messages would run work again
that somebody has stopped.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUEUES = ("UndeliveredEventsQueueUrl", "UnprocessedEventsQueueUrl")
_SIGNALLED = 130
# Errors of a call to AWS, or of the text of a message.
_UNREADABLE = (BotoCoreError, ClientError, LookupError, RecursionError, TypeError, ValueError)
# How long a message that this run takes stays hidden from others, in seconds.
_HIDDEN = 120


class StackError(Exception):
    """The stack has no queues of events, or cannot be read."""


class Delivery(NamedTuple):
    """An event and the function, with its qualifier, that it is for."""

    function: str
    event: str


def redrive(stack: str) -> tuple[int, int]:
    """Deliver all that is in the queues now; return how much that was, and how much is left.

    Raises:
        StackError: the stack has no queues of events, or cannot be read.
    """
    delivered, left = 0, []
    for url in _queues(stack):
        for message in _messages(url):
            if _redrive(url, message):
                delivered += 1
            else:
                left.append({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})
    for message in left:
        # For whoever looks next.
        boto3.client("sqs").change_message_visibility(**message, VisibilityTimeout=0)
    return delivered, len(left)


def _redrive(url: str, message: dict[str, Any]) -> bool:
    try:
        function, event = _delivery(message)
        boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=event)
        # After Lambda has taken it: dying in between delivers it twice, which does no harm.
        boto3.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    # The others are not to wait for one that nobody can read or take.
    except _UNREADABLE as error:
        reason = _shown(f"{type(error).__name__}: {error}")
        sys.stderr.write(f"{message['MessageId']} is left: {reason}\n")
        return False
    sys.stdout.write(f"{message['MessageId']} -> {_shown(function)}\n")
    return True


def _shown(text: str) -> str:
    """Return what a message may have put there on one line, its control characters escaped."""
    return text.encode("unicode_escape").decode()


def _messages(url: str) -> Iterator[dict[str, Any]]:
    sqs, seen = boto3.client("sqs"), set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
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


def _delivery(message: dict[str, Any]) -> Delivery:
    """Read a message of EventBridge's, with its target, or one of Lambda's, with its request."""
    body = json.loads(message["Body"])
    if "requestContext" in body:
        return Delivery(body["requestContext"]["functionArn"], json.dumps(body["requestPayload"]))
    return Delivery(message["MessageAttributes"]["TARGET_ARN"]["StringValue"], message["Body"])


def _queues(stack: str) -> list[str]:
    try:
        [described] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    # A ValueError: the endpoint is no address.
    except (BotoCoreError, ClientError, ValueError) as error:
        raise StackError(
            f"Stack {stack} cannot be read: {error}\nCredentials and Region are those of the "
            "environment. To name another stack: make redrive STACK=name"
        ) from error
    outputs = {out["OutputKey"]: out["OutputValue"] for out in described.get("Outputs", ())}
    if missing := [name for name in _QUEUES if name not in outputs]:
        raise StackError(
            f"Stack {stack} has no output {' or '.join(missing)}. It is not one of this project's "
            "template. To name another: make redrive STACK=name"
        )
    return [outputs[name] for name in _QUEUES]


def main() -> int:
    """Redrive the stack named by the first argument."""
    if len(sys.argv) != len(("redrive.py", "STACK")):
        sys.stderr.write("usage: python scripts/redrive.py STACK\n")
        return 2
    try:
        delivered, left = redrive(sys.argv[1])
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"A queue cannot be read any further: {_shown(str(error))}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. The events that are named above are delivered.\n")
        return _SIGNALLED
    sys.stdout.write(f"{delivered} events delivered again, {left} left\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
