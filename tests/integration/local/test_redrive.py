from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.redrive import main
from tests.integration.local.queues import Queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.e2e.user import User

FOREIGN = {"id": "redriven", "source": "aws.ecs", "detail": {"startedBy": "somebody else"}}


def test_message_that_cannot_be_delivered(user: User) -> None:
    """What nobody can read or take stays in its queue and is named; the rest is delivered."""
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
        send(event, target.replace("task-state", "renamed")): "ResourceNotFoundException",
        send(event, None): "KeyError",
        send("no JSON", target): "JSONDecodeError",
        send("7", target): "TypeError",
        send("[" * 50_000, target): "RecursionError",
    }
    delivered = send(event, target)
    redriven = user.redrive()
    assert redriven.returncode == 1
    # Another test's event may be given up only now.
    assert f"{delivered} -> {target}" in redriven.stdout.splitlines()
    assert redriven.stdout.endswith("events delivered again, 5 left\n")
    for message_id, error in left.items():
        assert f"{message_id} is left: {error}" in redriven.stderr
    # What is left is there for the next one at once.
    again = user.redrive()
    assert (again.returncode, again.stdout.splitlines()[-1][-6:]) == (1, "5 left")
    sqs.purge_queue(QueueUrl=url)
    assert not queue.messages


def test_other_stack(
    user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stack that is not there, or is another project's, is named, and how to name one."""
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
