"""Reading queues as a user does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.user import User


class Queue:
    """A queue of the stack, read from now on.

    Attributes:
        arn: the queue's.
        messages: what was in it, oldest first.
    """

    def __init__(self, user: User, output: str) -> None:
        self._user, self._queue = user, {"QueueUrl": user.outputs[output]}
        self._sqs = user.client("sqs")
        answer = self._sqs.get_queue_attributes(**self._queue, AttributeNames=["QueueArn"])
        self.arn: str = answer["Attributes"]["QueueArn"]
        self.messages: list[dict[str, Any]] = []
        while self._read():
            self.messages.clear()

    def first(self, count: int = 1, **attributes: str) -> list[dict[str, Any]]:
        """Wait for the first messages with these values of attributes, and return them."""

        def found() -> list[dict[str, Any]]:
            self._read()
            fitting = [m for m in self.messages if attributes.items() <= values(m).items()]
            return fitting[:count] if len(fitting) >= count else []

        return list(self._user.wait(found))

    def _read(self) -> bool:
        answer = self._sqs.receive_message(
            **self._queue, MessageAttributeNames=["All"], MaxNumberOfMessages=10
        )
        for message in answer.get("Messages", []):
            self._sqs.delete_message(**self._queue, ReceiptHandle=message["ReceiptHandle"])
            self.messages.append(message)
        return "Messages" in answer


def values(message: dict[str, Any]) -> dict[str, str]:
    """Return the values of a message's attributes."""
    attributes = message.get("MessageAttributes", {})
    return {name: attribute["StringValue"] for name, attribute in attributes.items()}
