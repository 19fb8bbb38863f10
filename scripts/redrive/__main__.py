"""Redeliver events that could not be delivered or processed: `python -m scripts.redrive STACK`.

It reads the stack's two queues of events, and hands each event to the alias `live` of its function.
Run it once the cause is fixed: an event that fails again comes back to its queue, and an event that
cannot be delivered stays there and is named. Credentials and Region are those of the environment.
The durable functions' own queue stays as it is, because its messages would start work again that
somebody has stopped: each message is listed with its execution, as far as that is known.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scripts.redrive.deployed import EVENT_QUEUES, StackError, deployed
from scripts.redrive.failed_executions import told
from scripts.redrive.messages import messages, put_back, shown

if TYPE_CHECKING:
    from scripts.redrive.deployed import Deployed

_SIGNALLED = 130
# Errors of a call to AWS, or of the text of a message.
_UNREADABLE = (BotoCoreError, ClientError, LookupError, RecursionError, TypeError, ValueError)


class Delivery(NamedTuple):
    """An event and the function, with or without a qualifier, that it is for."""

    function: str
    event: str


def redrive(stack: Deployed) -> tuple[int, int]:
    """Deliver all events in the queues; return how many were delivered, and how many are left."""
    delivered, left = 0, 0
    for url in (stack.outputs[name] for name in EVENT_QUEUES):
        kept = []
        for message in messages(url):
            if deliver(stack, url, message):
                delivered += 1
            else:
                kept.append(message)
        put_back(url, kept)
        left += len(kept)
    return delivered, left


def deliver(stack: Deployed, url: str, message: dict[str, Any]) -> bool:
    """Deliver an event and delete its message; print the reason and return False if it is left."""
    try:
        meant, event = _delivery(message)
        function = stack.live(meant)
        boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=event)
        # The delete comes after Lambda has taken the event: a crash in between delivers it twice,
        # which does no harm.
        boto3.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    # Other messages must not wait for one that cannot be read or delivered.
    except _UNREADABLE as error:
        reason = shown(f"{type(error).__name__}: {error}")
        sys.stderr.write(f"{message['MessageId']} is left: {reason}\n")
        return False
    sys.stdout.write(f"{message['MessageId']} -> {shown(function)}\n")
    return True


def _delivery(message: dict[str, Any]) -> Delivery:
    """Read EventBridge's message, which has the target, or Lambda's, which has the request."""
    body = json.loads(message["Body"])
    if "requestContext" in body:
        meant = str(body["requestContext"]["functionArn"])
        return Delivery(meant, json.dumps(body["requestPayload"]))
    return Delivery(message["MessageAttributes"]["TARGET_ARN"]["StringValue"], message["Body"])


def main() -> int:
    """Redrive the stack named by the first argument."""
    if len(sys.argv) != len(("redrive.py", "STACK")):
        sys.stderr.write("usage: python -m scripts.redrive STACK\n")
        return 2
    try:
        stack = deployed(sys.argv[1])
        delivered, left = redrive(stack)
        for line in told(stack):
            sys.stdout.write(f"{line}\n")
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"A queue cannot be read any further: {shown(str(error))}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. The events that are named above are delivered.\n")
        return _SIGNALLED
    sys.stdout.write(f"{delivered} events delivered again, {left} left\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
