from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from local.gateway import Refuse
from scripts.redrive.__main__ import deliver, main
from scripts.redrive.deployed import Deployed, deployed
from scripts.redrive.failed_executions import MESSAGES, told
from scripts.redrive.messages import messages, put_back
from tests.e2e.user import id_of
from tests.integration.local.queues import Queue, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.e2e.user import User

FOREIGN = {"id": "redriven", "source": "aws.ecs", "detail": {"startedBy": "somebody else"}}


def test_message_that_cannot_be_delivered(user: User) -> None:
    """A letter that cannot be read or delivered stays in its queue and is named; others go."""
    queue = Queue(user, "UndeliveredEventsQueueUrl")
    outputs = user.system.stack.outputs
    url, sqs = outputs["UndeliveredEventsQueueUrl"], user.system.account.client("sqs")

    def send(body: str, target: str | None) -> str:
        attribute = {"DataType": "String", "StringValue": target}
        attributes: Mapping[str, object] = {"TARGET_ARN": attribute} if target else {}
        sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        return str(sent["MessageId"])

    target, event = outputs["TaskStateFunctionArn"], json.dumps(FOREIGN)
    left = {
        send(event, target.replace("task-state", "renamed")): "ForeignTargetError",
        send(
            json.dumps({"processingTime": 0}), outputs["SyncLambdaFunctionArn"]
        ): "begins executions",
        send(event, None): "KeyError",
        send("no JSON", target): "JSONDecodeError",
        send("7", target): "TypeError",
        send("[" * 50_000, target): "RecursionError",
    }
    # An old version's event is today's version's.
    delivered = send(event, target.replace(":live", ":7"))
    failed = Letters(user).put("{}", ErrorMessage="for people")
    redriven = user.redrive()
    assert redriven.returncode == 1
    # Another test's event may be given up only now.
    assert f"{delivered} -> {target}" in redriven.stdout.splitlines()
    assert redriven.stdout.endswith("events delivered again, 6 left\n")
    assert about(failed, redriven.stdout.splitlines()).endswith(": for people")
    for message_id, error in left.items():
        [line] = [line for line in redriven.stderr.splitlines() if line.startswith(message_id)]
        assert error in line
    # What is left is there for the next one at once.
    seen = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {message["MessageId"] for message in seen} == set(left)
    sqs.purge_queue(QueueUrl=url)
    assert not queue.messages


@pytest.fixture
def stack(user: User, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """The stack, for a script in this process."""
    for name, value in user.system.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    return deployed(user.stack)


@pytest.mark.parametrize("operation", ["GetFunctionConfiguration", "Invoke"])
def test_refused_delivery(
    user: User, stack: Deployed, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    """An event stays unless Lambda takes it and shows its function; a taken one is deleted."""
    queue, url = Queue(user, "UndeliveredEventsQueueUrl"), user.outputs["UndeliveredEventsQueueUrl"]
    target = {"DataType": "String", "StringValue": user.outputs["TaskStateFunctionArn"]}
    sqs, body = user.client("sqs"), json.dumps(FOREIGN)
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes={"TARGET_ARN": target})
    asked = {"QueueUrl": url, "MessageAttributeNames": ["All"], "VisibilityTimeout": 0}
    [message] = sqs.receive_message(**asked)["Messages"]
    refused = Refuse("AccessDeniedException", "not yours to call")
    user.system.seams.inject(refused, operation=operation)
    assert not deliver(stack, url, message)
    assert "not yours to call" in capsys.readouterr().err
    [still_there] = sqs.receive_message(**asked)["Messages"]
    assert deliver(stack, url, still_there)
    assert "Messages" not in sqs.receive_message(**asked)
    assert not queue.messages


class Letters:
    """The queue of failed executions, emptied."""

    def __init__(self, user: User) -> None:
        self.queue = Queue(user, "FailedExecutionsQueueUrl")
        self._url, self._sqs = user.outputs["FailedExecutionsQueueUrl"], user.client("sqs")

    def put(self, body: str, **attributes: str) -> str:
        """Put a message into it, and return its id."""
        given = {n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()}
        sent = self._sqs.send_message(QueueUrl=self._url, MessageBody=body, MessageAttributes=given)
        return str(sent["MessageId"])


def about(message_id: str, lines: Iterable[str]) -> str:
    """The words about a message, without its time."""
    [line] = (line for line in lines if line.startswith(f"{message_id} of "))
    return line.partition(": ")[2]


def test_failed_executions(user: User, stack: Deployed) -> None:
    """Each payload of a failed execution stays in its queue, and is listed with its execution."""
    letters, payload = Letters(user), {"processingTime": "for ever"}
    arn = user.start("eventbridge", **payload)
    # Lambda's own message is taken out, to be sure that it has come; a copy is as good.
    [message] = letters.queue.first(RequestID=id_of(arn))
    own = letters.put(message["Body"], **values(message))
    alike = letters.put(json.dumps(payload), ErrorMessage="Too long")
    never = letters.put('{"message": "?"}', ErrorMessage="Throttled")
    lines = list(told(stack))
    assert lines[0].endswith(" payloads of failed executions are left alone:")
    seen = rf"{re.escape(arn)} FAILED at \d{{4}}-\S+Z"
    assert re.fullmatch(rf"{seen}: processingTime: .+", about(own, lines))
    one = rf"by its payload one of \d+, or one that never began: .*{seen}.*: Too long"
    assert re.fullmatch(one, about(alike, lines))
    unknown = "no execution with its payload is known, it may never have begun"
    assert about(never, lines) == f"{unknown}: Throttled"
    letters.queue.messages.clear()
    assert {own, alike, never} <= {m["MessageId"] for m in letters.queue.first(3)}


def test_payload_that_somebody_has_sent(user: User, stack: Deployed) -> None:
    """A message that cannot be looked up hides no other one."""
    letters = Letters(user)
    # As DynamoDB refuses a key of more than 2,048 bytes.
    refused = Refuse("ValidationException", "size of hashkey")
    user.system.seams.inject(refused, operation="GetItem", caller="user")
    bad = letters.put("{}", RequestID="x" * 3_000)
    good = letters.put("no JSON", ErrorMessage="Throttled")
    lines = list(told(stack))
    user.system.seams.clear()
    letters.queue.first(2)
    assert "size of hashkey" in about(bad, lines)
    assert about(good, lines).endswith("it may never have begun: Throttled")


@pytest.mark.usefixtures("stack")
def test_messages_that_are_back_already(user: User) -> None:
    """A message that is visible again before it is put back is no error."""
    letters, url = Letters(user), user.outputs["FailedExecutionsQueueUrl"]
    put = letters.put("{}")
    [taken] = messages(url)
    put_back(url, [taken, taken])
    [again] = letters.queue.first(1)
    assert again["MessageId"] == put == taken["MessageId"]


@pytest.mark.usefixtures("stack")
def test_message_that_comes_during_the_run(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload that fails again is a new message: the same run does not deliver it for ever."""
    letters, url = Letters(user), user.outputs["FailedExecutionsQueueUrl"]
    put = letters.put("{}")
    before = datetime.min.replace(tzinfo=UTC)
    monkeypatch.setattr("scripts.redrive.messages.asked_at", lambda _: before)
    assert not list(messages(url))
    assert letters.queue.first()[0]["MessageId"] == put


def test_many_failed_executions(user: User, stack: Deployed) -> None:
    """The first fifty payloads are listed, with a note that there may be more."""
    letters = Letters(user)
    for number in range(MESSAGES + 1):
        letters.put("{}", ErrorMessage=f"Failure {number}")
    first, *lines, last = told(stack)
    assert first.startswith(f"{MESSAGES} payloads")
    assert len(lines) == MESSAGES
    assert last.startswith(f"No more than {MESSAGES} are shown.")
    letters.queue.first(MESSAGES + 1)


def test_executions_that_cannot_be_looked_up(user: User, stack: Deployed) -> None:
    """Payloads are listed without executions to a user who may not look these up."""
    letter = Letters(user).put("{}")
    refused = Refuse("AccessDeniedException", "not yours to list")
    user.system.seams.inject(refused, times=100, operation="ListDurableExecutionsByFunction")
    lines = list(told(stack))
    user.system.seams.clear()
    assert "cannot be looked up" in lines[1]
    assert "not yours to list" in lines[1]
    assert about(letter, lines) == "not looked up: Lambda gives no reason"


def test_other_stack(
    user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stack that does not exist, or is another project's, is named, with how to name one."""
    for name, value in user.system.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    monkeypatch.setattr("sys.argv", ["redrive.py", "other"])
    assert main() == 1
    assert "Stack with id other does not exist" in capsys.readouterr().err
    cloudformation = user.system.account.client("cloudformation")
    template = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}}}
    cloudformation.create_stack(StackName="other", TemplateBody=json.dumps(template))
    assert main() == 1
    told = capsys.readouterr().err
    assert told.startswith("Stack other has no output UndeliveredEventsQueueUrl")
    assert "make redrive STACK=name" in told
    cloudformation.delete_stack(StackName="other")
