"""The queue of failed executions: its messages are listed with their executions, and left."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scripts.redrive.deployed import FAILED_EXECUTIONS, TABLE
from scripts.redrive.letters import Ended, Letter, find, line
from scripts.redrive.messages import messages, put_back, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.redrive.deployed import Deployed

# The highest numbers for one run: of messages, and of pages of a function's executions.
MESSAGES, PAGES = 50, 10
_ENDED_BADLY = ("FAILED", "TIMED_OUT", "STOPPED")


def told(stack: Deployed) -> Iterator[str]:
    """Yield a line for each message of the queue; all messages stay in it."""
    url = stack.outputs[FAILED_EXECUTIONS]
    taken = list(islice(messages(url), MESSAGES))
    put_back(url, taken)
    if not taken:
        return
    yield f"{len(taken)} payloads of failed executions are left alone:"
    letters = [Letter.of(message) for message in taken]
    try:
        memory = Remembered(stack, url.rpartition("/")[2])
    except (BotoCoreError, ClientError) as error:
        yield f"Their executions cannot be looked up: {shown(str(error))}"
        yield from (line(letter, None) for letter in letters)
    else:
        yield from (_told(letter, memory) for letter in letters)
    if len(taken) == MESSAGES:
        yield f"No more than {MESSAGES} are shown. Delete each message whose cause is mended."


def _told(letter: Letter, memory: Remembered) -> str:
    try:
        return line(letter, find(letter, memory))
    # The other messages are listed, whatever somebody wrote into this one or its record.
    except (BotoCoreError, ClientError, LookupError) as error:
        return f"{line(letter, None)} (its execution cannot be looked up: {shown(str(error))})"


class Remembered:
    """Lambda's and the table's facts about a stack's executions, each asked once."""

    def __init__(self, stack: Deployed, queue: str) -> None:
        self._lambda, self._dynamodb = boto3.client("lambda"), boto3.client("dynamodb")
        self._table, self._payloads = stack.outputs[TABLE], dict[str, str | None]()
        senders = [f for f in stack.functions if _sends(stack.configuration(f), queue)]
        self._ended = [execution for sender in senders for execution in self._list(sender)]

    def ended(self) -> Sequence[Ended]:
        """Return the executions that have ended badly, the newest of each function."""
        return self._ended

    def of_record(self, execution_id: str) -> Ended | None:
        """Return the execution that has a record under this id."""
        if not execution_id:
            return None
        item = self._dynamodb.get_item(
            TableName=self._table,
            Key={"executionId": {"S": execution_id}},
            ProjectionExpression="executionArn",
        ).get("Item")
        if not item:
            return None
        execution = self._execution(item["executionArn"]["S"])
        return Ended.of(execution) if execution and "EndTimestamp" in execution else None

    def payload(self, execution: Ended) -> str | None:
        """Return an execution's payload; None if Lambda has forgotten it."""
        if execution.arn not in self._payloads:
            details = self._execution(execution.arn) or {}
            self._payloads[execution.arn] = details.get("InputPayload")
        return self._payloads[execution.arn]

    def _execution(self, arn: str) -> dict[str, Any] | None:
        try:
            execution = self._lambda.get_durable_execution(DurableExecutionArn=arn)
        except self._lambda.exceptions.ResourceNotFoundException:
            return None
        return dict(execution)

    def _list(self, function: str) -> Iterator[Ended]:
        pages = self._lambda.get_paginator("list_durable_executions_by_function")
        asked = pages.paginate(FunctionName=function, Statuses=list(_ENDED_BADLY))
        for page in islice(asked, PAGES):
            yield from (Ended.of(it) for it in page["DurableExecutions"] if "EndTimestamp" in it)


def _sends(configuration: Mapping[str, Any], queue: str) -> bool:
    """Whether a function's failed executions leave their payloads in a queue of this name."""
    target = str(configuration.get("DeadLetterConfig", {}).get("TargetArn", ""))
    return target.rpartition(":")[2] == queue
