from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests import markdown
from tests.e2e.reader import PRINTED, Reader
from tests.e2e.user import id_of
from tests.markdown import Fence
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from tests.e2e.shell import Ran
    from tests.e2e.up import Up
    from tests.e2e.user import AwsUser

    Check = Callable[[Ran, "list[Ran]", Reader], None]

STACK = "lambda-ecs-durable-demo"
# The published pattern's commands are to work here as they are printed there.
PATTERN = {
    "pattern-polling": rf"""
        aws lambda invoke \
          --function-name {STACK}-sync-function:\$LATEST \
          --invocation-type Event \
          --cli-binary-format raw-in-base64-out \
          --payload '{{"message": "Hello", "processingTime": 10}}' \
          response.json
        aws logs tail /aws/lambda/{STACK}-sync-function --follow
        aws logs tail /ecs/{STACK} --follow
        """,
    "pattern-dynamodb": rf"""
        aws lambda invoke \
          --function-name {STACK}-callback-function:\$LATEST \
          --invocation-type Event \
          --cli-binary-format raw-in-base64-out \
          --payload '{{"message": "Hello", "processingTime": 30}}' \
          response.json
        aws logs tail /aws/lambda/{STACK}-callback-function --follow
        # All of them
        aws dynamodb scan --table-name {STACK}-callbacks
        # Or one
        aws dynamodb get-item \
          --table-name {STACK}-callbacks \
          --key '{{"executionId": {{"S": "YOUR-EXECUTION-ID"}}}}'
        aws logs tail /ecs/{STACK} --follow
        """,
}
FENCES = {
    f"{page.path.relative_to(ROOT)}-{number}".replace("/", "-"): fence
    for page in markdown.pages()
    for number, fence in enumerate(page.fences, 1)
}
BLOCKS = {name: fence for name, fence in FENCES.items() if fence.is_for_make_up} | {
    name: Fence("bash", text, "") for name, text in PATTERN.items()
}
# README's is a durable handler, those of the page on workers run in a container:
# tests/integration/test_own_steps.py and tests/integration/worker/test_documented.py.
EXAMPLES = {
    name: fence.text
    for name, fence in FENCES.items()
    if fence.language == "python" and not name.startswith(("README.md", "docs-worker.md"))
}


@pytest.fixture(scope="module")
def reader(aws_user: AwsUser, shared: Up) -> Reader:
    """A user who has executions of her own."""
    return Reader.of(aws_user, shared.variables())


@pytest.fixture(scope="module")
def tried(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[list[Ran]]]:
    """All blocks, each tried once, side by side."""
    return reader.try_all(BLOCKS, tmp_path_factory.mktemp("blocks"))


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name: str, reader: Reader, tried: dict[str, Future[list[Ran]]]) -> None:
    """Each command of a block ends well, and does what the text says."""
    ran = tried[name].result()
    shown = [command[1:3] for command in BLOCKS[name].commands() if command[0] == "aws"]
    assert sorted(command.arguments[:2] for command in ran) == sorted(shown)
    for command in ran:
        CHECKS[command.name](command, ran, reader)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str) -> None:
    """An example in Python runs as it is printed, from the repository's folder."""
    example = [sys.executable, "-c", EXAMPLES[name]]
    ran = subprocess.run(example, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def started(ran: list[Ran]) -> str:
    """The ARN of the execution that a block has started."""
    return str(json.loads(ran[0].printed)["DurableExecutionArn"])


def invoked(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """Lambda has accepted the event, and names the execution if the function is durable."""
    answer = json.loads(command.printed)
    function, _, qualifier = command.option("--function-name").partition(":")
    assert answer["StatusCode"] == 202
    assert ("DurableExecutionArn" in answer) == ("task-state" not in function)
    if "DurableExecutionArn" in answer:
        version = "$LATEST" if qualifier == "$LATEST" else r"1"
        assert f":function:{function}:{version}/durable-execution/" in answer["DurableExecutionArn"]


def followed(command: Ran, ran: list[Ran], _reader: Reader) -> None:
    """The log has the execution's lines, each once."""
    lines = [line for line in command.printed.splitlines() if id_of(started(ran)) in line]
    told = [json.loads(line[line.index("{") :]) for line in lines]
    # The others are metrics.
    messages = [line["message"] for line in told if "message" in line]
    for said in SAID[command.arguments[2]]:
        assert any(message.startswith(said) for message in messages), said
    # The end of one task is two events.
    if command.arguments[2] != TASK_STATE_LOG:
        assert len(set(messages)) == len(messages)


TASK_STATE_LOG = f"/aws/lambda/{STACK}-task-state-function"
SAID = {
    f"/aws/lambda/{STACK}-sync-function": [
        "Task starting",
        "Record created",
        "Task started",
        "Waiting for the task to end",
        "Task status: requested → ",
        "Final result",
    ],
    f"/aws/lambda/{STACK}-callback-function": [
        "Task starting",
        "Record created",
        "Task started",
        "Returning",
    ],
    f"/aws/lambda/{STACK}-eventbridge-function": ["Task starting", "Task started", "Final result"],
    TASK_STATE_LOG: ["Task event"],
    f"/ecs/{STACK}": ["Work started", "Work finished"],
}


def scanned(command: Ran, ran: list[Ran], reader: Reader) -> None:
    """The table has the record of what was started just now, and those of before."""
    ids = {item["executionId"]["S"] for item in json.loads(command.printed)["Items"]}
    assert {id_of(started(ran)), id_of(reader.done)} <= ids


def got(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """The record is the named execution's, with the result of its worker; or its progress is."""
    if "--projection-expression" in command.arguments:
        progress = json.loads(command.printed)
        assert (progress["percent"], progress["message"]) == ({"N": "40"}, {"S": "Two of five"})
        return
    item = json.loads(command.printed)["Item"]
    assert item["executionId"]["S"] == id_of(reader.done)
    assert item["status"]["S"] == "COMPLETED"
    assert "Processed" in item["result"]["S"]


def listed(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """Executions are listed: the newest, those that failed, or those that run."""
    if "RUNNING" in command.arguments:
        assert all("/durable-execution/" in line for line in command.printed.split("\n") if line)
    elif "--statuses" in command.arguments:
        assert reader.failed in command.printed
        assert "FAILED" in command.printed
    else:
        form = rf"arn:\S+:function:{command.option('--function-name')}:1/durable-execution/\S+"
        assert re.fullmatch(form, command.printed.strip())


def shown(command: Ran, ran: list[Ran], _reader: Reader) -> None:
    """The execution that was found is shown with its result, or its error alone."""
    execution = json.loads(command.printed)
    if "Error.ErrorData" in command.arguments:
        assert execution["field"] == "processingTime"
        return
    assert execution["DurableExecutionArn"] == ran[0].printed.strip()
    assert execution["Status"] == "SUCCEEDED"
    assert json.loads(execution["Result"])["outcome"] == "Succeeded"


def remembered(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The history tells the execution's operations in order."""
    names = [event.get("Name") for event in json.loads(command.printed)["Events"]]
    assert names.index("task-end") < names.index("launch-task")


def found(command: Ran, ran: list[Ran], _reader: Reader) -> None:
    """The stack tells the name that the next command needs, and nothing else."""
    name = command.printed.strip()
    if ran[-1].name == "s3 ls":
        assert ran[-1].arguments[-1].startswith(f"s3://{name}/")
    else:
        assert name == ran[-1].option("--queue-url")
        assert re.fullmatch(r"\S+/lambda-ecs-durable-demo-undelivered-events", name)


def copied(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The result is printed, all of it."""
    assert len(json.loads(command.printed)["more"]) == 300_000


def left(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The file that the execution has left is listed, in its attempt's folder."""
    [line] = command.printed.splitlines()
    assert re.fullmatch(r"1-[0-9a-f]{32}/file\.json", "/".join(line.split("/")[-2:]))


def measured(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The metric's values are told, by the statistics that were asked for."""
    answer = json.loads(command.printed)
    assert answer["Label"] == command.option("--metric-name")
    if answer["Label"] == "AnswerSeconds":
        assert sum(point["SampleCount"] for point in answer["Datapoints"]) >= 1


def counted(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The metric has a row for each flow and outcome, as the next command asks for them."""
    rows = [line.split("\t") for line in command.printed.splitlines()]
    assert ["eventbridge", "ApplicationFailed"] in rows


def ruled(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The stack's rules are listed, each with its state."""
    rows = [line.split("\t") for line in command.printed.splitlines()]
    assert len(rows) == 3
    assert {state for state, _ in rows} == {"ENABLED"}


def searched(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """The lines that have what was asked for are printed, each in a row, and no others."""
    lines = command.printed.splitlines()
    if "--log-stream-names" in command.arguments:
        assert lines == [PRINTED]
    else:
        wanted = command.option("--filter-pattern").strip('"')
        told = [json.loads(line) for line in lines]
        assert {line["message"] for line in told} == {wanted}
        assert id_of(reader.broken) in {line["correlation_id"] for line in told}


def queried(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The open records are listed by their ids, the oldest first."""
    created = [line.split()[0] for line in command.printed.splitlines()]
    assert len(created) >= 1
    assert created == sorted(created)


def received(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """The queue hands out what is in it."""
    assert [m["Body"] for m in json.loads(command.printed)["Messages"]] == [reader.lost]


def stopped(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """The execution is stopped; its task is stopped too, and its record closed."""
    assert "StopTimestamp" in json.loads(command.printed)
    assert reader.user.execution(reader.unwanted)["Status"] == "STOPPED"
    assert reader.user.closed(reader.unwanted)["status"] == "FAILED"


def task_stopped(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """The task is to stop, for the reason that was given, and fails its execution."""
    task: dict[str, Any] = json.loads(command.printed)["task"]
    assert task["taskArn"] == reader.task
    assert (task["desiredStatus"], task["stoppedReason"]) == ("STOPPED", "No longer needed")
    error = json.loads(reader.user.ended(reader.doomed)["Error"]["ErrorData"])
    assert error["kind"] == "StoppedByUser"


def running(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """The tasks that run are listed."""
    assert reader.busy in json.loads(command.printed)["taskArns"]


def summarised(command: Ran, _ran: list[Ran], _reader: Reader) -> None:
    """The traces that name the execution are found, the execution's own among them."""
    assert f"{STACK}-callback-function" in command.printed


def traced(command: Ran, _ran: list[Ran], reader: Reader) -> None:
    """A trace is shown by the segment of its task, in a row of its own."""
    [task] = map(json.loads, command.printed.splitlines())
    assert task["annotations"]["executionId"] == id_of(reader.done)


CHECKS: dict[str, Check] = {
    "lambda invoke": invoked,
    "logs tail": followed,
    "dynamodb query": queried,
    "dynamodb scan": scanned,
    "dynamodb get-item": got,
    "lambda list-durable-executions-by-function": listed,
    "lambda get-durable-execution": shown,
    "lambda get-durable-execution-history": remembered,
    "cloudformation describe-stacks": found,
    "s3 cp": copied,
    "s3 ls": left,
    "sqs receive-message": received,
    "cloudwatch get-metric-statistics": measured,
    "cloudwatch list-metrics": counted,
    "events list-rules": ruled,
    "logs filter-log-events": searched,
    "lambda stop-durable-execution": stopped,
    "ecs stop-task": task_stopped,
    "ecs list-tasks": running,
    "xray get-trace-summaries": summarised,
    "xray batch-get-traces": traced,
}
