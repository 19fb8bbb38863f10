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
        self._user, self._url = user, user.system.stack.outputs[output]
        self._sqs = user.system.account.client("sqs")
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn: str = attributes["Attributes"]["QueueArn"]
        self.messages: list[dict[str, Any]] = []
        while self._read():
            self.messages.clear()

    def first(self, count: int) -> list[dict[str, Any]]:
        """Wait for the first messages and return them."""

        def found() -> bool:
            self._read()
            return len(self.messages) >= count

        self._user.wait(found)
        return self.messages[:count]

    def message(self, attribute: str, value: str) -> dict[str, Any]:
        """Wait for a message with that value of an attribute, and return it."""

        def found() -> dict[str, Any] | None:
            self._read()
            fitting = (
                message
                for message in self.messages
                if message.get("MessageAttributes", {}).get(attribute, {}).get("StringValue")
                == value
            )
            return next(fitting, None)

        return dict(self._user.wait(found))

    def _read(self) -> bool:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MessageAttributeNames=["All"], MaxNumberOfMessages=10
        )
        for message in answer.get("Messages", []):
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            self.messages.append(message)
        return "Messages" in answer
