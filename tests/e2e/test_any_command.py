from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, get_args

import pytest
from boto3.dynamodb.types import TypeDeserializer

from tests.e2e.shell import paste, programs
from tests.e2e.user import Flow, id_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.up import Up
    from tests.e2e.user import AwsUser

COMMAND = ["sh", "-c", "echo hello; exit 3"]


class Shell:
    """A shell that has exported what `make env` prints."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._folder, self._variables, self._pasted = folder, variables, 0
        self._found = programs(folder)

    def aws(self, *arguments: str) -> dict[str, Any]:
        """Run the AWS CLI and return what it has printed."""
        self._pasted += 1
        folder = self._folder / str(self._pasted)
        folder.mkdir()
        [ran] = paste(shlex.join(["aws", *arguments]), folder, self._variables, self._found)
        return dict(json.loads(ran.printed))


@pytest.fixture
def shell(shared: Up, tmp_path: Path) -> Shell:
    """The shell of somebody with the AWS CLI."""
    return Shell(tmp_path, shared.variables())


@pytest.mark.parametrize("flow", get_args(Flow))
def test_any_command(shell: Shell, aws_user: AwsUser, flow: Flow) -> None:
    """From the AWS CLI, a command that knows nothing of the stack runs, is logged and judged."""
    outputs, looks = aws_user.outputs, {"pollSeconds": 1} if flow == "polling" else {}
    arn = shell.aws(
        *("lambda", "invoke", "--function-name", aws_user.function(flow)),
        *("--invocation-type", "Event", "--cli-binary-format", "raw-in-base64-out"),
        *("--payload", json.dumps({"command": COMMAND, **looks}), "response.json"),
    )["DurableExecutionArn"]
    aws_user.closed(arn)
    record = item(
        shell.aws(
            *("dynamodb", "get-item", "--table-name", outputs["CallbackTableName"]),
            *("--key", json.dumps({"executionId": {"S": id_of(arn)}})),
        )
    )
    assert (record["status"], record["lastOutcome"]["kind"]) == ("FAILED", "ApplicationFailed")
    assert record["lastOutcome"]["exitCode"] == 3
    if flow != "dynamodb":
        execution = shell.aws("lambda", "get-durable-execution", "--durable-execution-arn", arn)
        error = json.loads(execution["Error"]["ErrorData"])
        assert (execution["Status"], error["kind"], error["exitCode"]) == (
            *("FAILED", "ApplicationFailed"),
            3,
        )
    logged = shell.aws(
        *("logs", "filter-log-events", "--log-group-name", f"/ecs/{aws_user.stack}"),
        *("--log-stream-names", f"worker/worker/{id_of(record['taskArn'])}"),
    )
    assert [event["message"] for event in logged["events"]] == ["hello"]


def item(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an item of DynamoDB as Python's values."""
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in answer["Item"].items()}
