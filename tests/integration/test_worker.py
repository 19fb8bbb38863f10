from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from moto.server import ThreadedMotoServer

from core.flow import Flow
from core.outcome import NOT_FETCHED
from core.record import Status
from tests.fragments import fragments
from tests.markdown import Page
from tests.template import ROOT
from tests.values import record
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE, DOCUMENTED = ROOT / "src", Page(ROOT / "docs" / "worker.md")
TABLE, TICKET = "records", "0123456789abcdef" * 2
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
Worker: TypeAlias = "Callable[..., subprocess.Popen[str]]"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """DynamoDB over HTTP, for processes."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def dynamodb(endpoint: str) -> Any:
    """DynamoDB as this process calls it."""
    return boto3.resource(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - moto takes any
    )


@pytest.fixture
def table(endpoint: str) -> Iterator[Any]:
    """The records table with one running execution in it."""
    table = dynamodb(endpoint).create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "executionId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "executionId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    running = record(flow=Flow.DYNAMODB, status=Status.RUNNING, ticket=TICKET)
    table.put_item(Item=running.to_item())
    yield table
    table.delete()


@pytest.fixture
def worker(endpoint: str) -> Iterator[Worker]:
    """Start `python -m worker` with nothing but a container's environment."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str = "", **changes: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "PYTHONUNBUFFERED": "1",
            "AWS_ENDPOINT_URL": endpoint,
            "EXECUTION_ID": "one",
            "EXECUTION_FLOW": "dynamodb",
            "EXECUTION_ATTEMPT": "1",
            "MESSAGE": "hi",
            "PROCESSING_TIME": "0",
            "RECORD_TABLE": TABLE,
            "EXECUTION_TICKET": TICKET,
            **CREDENTIALS,
            **changes,
        }
        process = subprocess.Popen(
            [sys.executable, *(["-c", code] if code else ["-m", "worker"])],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read(table: Any) -> dict[str, Any]:
    """Return the record's item."""
    return dict(table.get_item(Key={"executionId": "one"})["Item"])


def lines(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Wait for the worker's end and return its log lines."""
    out, _ = process.communicate(timeout=PATIENCE)
    return [json.loads(line) for line in out.splitlines()]


def test_success(table: Any, worker: Worker) -> None:
    """Work that succeeds leaves COMPLETED and its result, in a record that is still open."""
    process = worker()
    logged = lines(process)
    assert process.returncode == 0
    item = read(table)
    assert item["status"] == "COMPLETED"
    assert json.loads(item["result"])["message"] == "Processed: hi"
    assert item["open"] == "OPEN"
    assert [line["message"] for line in logged] == ["Work started", "Work finished"]
    assert {line["correlation_id"] for line in logged} == {"one"}


def test_failure(table: Any, worker: Worker) -> None:
    """Work that fails leaves FAILED and an error, and the exit code that was asked for."""
    process = worker(SIMULATE='{"exitCode": 3}')
    lines(process)
    assert process.returncode == 3
    item = read(table)
    assert (item["status"], item["error"]["exitCode"]) == ("FAILED", 3)
    assert "result" not in item


def test_eventbridge_result(table: Any, worker: Worker) -> None:
    """In the EventBridge flow the worker hands over a result and leaves the status alone."""
    process = worker(EXECUTION_FLOW="eventbridge")
    lines(process)
    item = read(table)
    assert (process.returncode, item["status"]) == (0, "RUNNING")
    assert json.loads(item["result"])["message"] == "Processed: hi"


PROGRESS = "progress"
# What stands around the documented `work` in a container, and in its place a piece that tells.
GOING_ON = """
import sys, worker.work
PIECES = 6
def look_at(number):
    print("piece", number)
    if number == int(os.environ["MESSAGE"]):
        time.sleep(3600)
    return 1
worker.work.work = work
from worker.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def progress(endpoint: str) -> Iterator[Any]:
    """The table that the page on workers gives to work of days."""
    [fragment] = (f for f in fragments() if "ProgressTable" in f["Resources"])
    described = fragment["Resources"]["ProgressTable"]["Properties"]
    table = dynamodb(endpoint).create_table(
        TableName=PROGRESS,
        **{name: described[name] for name in ("KeySchema", "AttributeDefinitions", "BillingMode")},
    )
    yield table
    table.delete()


def documented(definition: str) -> str:
    """The example of the page on workers that defines something."""
    shown = [fence.text for fence in DOCUMENTED.fences if fence.language == "python"]
    [example] = [text for text in shown if definition in text]
    return example


def test_documented_example(table: Any, worker: Worker) -> None:
    """The documented code of a worker hands a result over, and may do it twice: not another one."""
    example = documented("def hand_over")
    twice = worker(example + 'hand_over({"a": 1})\nhand_over({"a": 1})\n')
    assert (twice.wait(PATIENCE), json.loads(read(table)["result"])) == (0, {"a": 1})
    other = worker(example + 'hand_over({"a": 2})\n')
    assert (other.wait(PATIENCE), json.loads(read(table)["result"])) == (1, {"a": 1})


def test_work_that_goes_on(progress: Any, worker: Worker) -> None:
    """The documented work of days is gone on with by the attempt after one that got SIGTERM."""
    work = documented("def work") + GOING_ON

    def attempt(number: int, *, hangs_at: int = -1) -> subprocess.Popen[str]:
        variables = {"EXECUTION_ATTEMPT": str(number), "MESSAGE": str(hangs_at)}
        return worker(work, **variables, PROGRESS_TABLE=PROGRESS, RECORD_TABLE="")

    first = attempt(1, hangs_at=3)
    assert first.stdout
    while first.stdout.readline() != "piece 3\n":
        pass
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 143
    [saved] = progress.scan()["Items"]
    assert (saved["executionId"], saved["next"], saved["attempt"]) == ("one", 3, 1)
    second = attempt(2)
    out, _ = second.communicate(timeout=PATIENCE)
    pieces = [line for line in out.splitlines() if line.startswith("piece")]
    assert (second.returncode, pieces) == (0, ["piece 3", "piece 4", "piece 5"])
    # The first attempt, were it still there.
    assert attempt(1).wait(PATIENCE) == 1
    [saved] = progress.scan()["Items"]
    assert (saved["next"], saved["found"], saved["attempt"]) == (6, 6, 2)


def test_polling_knows_no_record(table: Any, worker: Worker) -> None:
    """Without a record to report to the worker works all the same, and writes nothing."""
    before = read(table)
    process = worker(EXECUTION_FLOW="polling", RECORD_TABLE="")
    lines(process)
    assert process.returncode == 0
    assert read(table) == before


@pytest.mark.parametrize(
    "moved_on",
    [{"ticket": None}, {"ticket": "fedcba9876543210" * 2}, {"status": "FAILED"}],
    ids=["closed", "another attempt", "status"],
)
def test_record_moved_on(table: Any, worker: Worker, moved_on: dict[str, Any]) -> None:
    """A record that has moved on is left as it is, and the worker exits with an error."""
    item = {name: value for name, value in (read(table) | moved_on).items() if value is not None}
    table.put_item(Item=item)
    process = worker()
    lines(process)
    assert process.returncode == 1
    assert read(table) == item


@pytest.mark.parametrize("flow", ["dynamodb", "eventbridge"])
@pytest.mark.parametrize("code", [0, 3])
def test_no_ticket(table: Any, worker: Worker, flow: str, code: int) -> None:
    """A worker without a ticket writes nothing, and ends as its work does."""
    before = read(table)
    failure = json.dumps({"exitCode": code})
    process = worker(EXECUTION_FLOW=flow, EXECUTION_TICKET="", SIMULATE=failure)
    lines(process)
    assert process.returncode == code
    assert read(table) == before


def test_half_a_character(table: Any, worker: Worker) -> None:
    """A failure whose text no encoding knows is logged and reported all the same."""
    process = worker(r"""\
import sys
import worker.__main__ as m
def work(_): raise ValueError("half \ud83d")
m.work = work
sys.exit(m.main())
""")
    logged = lines(process)
    assert [line["message"] for line in logged] == ["Work started", "Work failed"]
    assert process.returncode == 1
    assert read(table)["error"]["summary"] == r"ValueError: half \ud83d"


def test_result_is_not_overwritten(table: Any, worker: Worker) -> None:
    """A result that is there stays; a second worker of the attempt exits with an error."""
    table.put_item(Item=read(table) | {"result": '"first"'})
    process = worker(EXECUTION_FLOW="eventbridge")
    lines(process)
    assert (process.returncode, read(table)["result"]) == (1, '"first"')


def test_too_large(table: Any, worker: Worker) -> None:
    """A result over 256 KB is refused with its size, the limit and what to do instead."""
    process = worker(
        "import worker.__main__ as m; m.work = lambda _: 'x' * 256_001; exit(m.main())"
    )
    lines(process)
    assert process.returncode == 1
    summary = read(table)["error"]["summary"]
    assert "256003 bytes" in summary
    assert "S3" in summary


def test_sigterm(table: Any, worker: Worker) -> None:
    """SIGTERM ends the work with 143 and writes nothing: ECS tells why it was sent."""
    before = read(table)
    process = worker(PROCESSING_TIME="600")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["message"] == "Work started"
    process.send_signal(signal.SIGTERM)
    assert [line["message"] for line in lines(process)] == ["Stopped by SIGTERM"]
    assert process.returncode == 143
    assert read(table) == before


@pytest.mark.parametrize(
    ("code", "exit_code"), [(3, 3), (0, 1), (256, 1), (-1, 255), ("None", 1), ("'gone'", 1)]
)
def test_work_that_exits(table: Any, worker: Worker, code: object, exit_code: int) -> None:
    """Work that leaves by sys.exit has failed, with its own code where that tells a failure."""
    process = worker(f"""\
import sys
import worker.__main__ as m
m.work = lambda _: sys.exit({code})
sys.exit(m.main())
""")
    assert [line["message"] for line in lines(process)] == ["Work started", "Work failed"]
    assert process.returncode == exit_code
    item = read(table)
    assert (item["status"], item["error"]["exitCode"]) == ("FAILED", exit_code)


@pytest.mark.parametrize(
    "code",
    [
        *(NOT_FETCHED, NOT_FETCHED + 256, NOT_FETCHED - 256),
        f"__import__('subprocess').run(['sh', '-c', 'exit {NOT_FETCHED}']).returncode",
    ],
    ids=["as it is", "a byte more", "a byte less", "a child's"],
)
def test_reserved_code(table: Any, worker: Worker, code: object) -> None:
    """No work ends the worker with the code of a container without its code; the log says so."""
    process = worker(f"""\
import sys
import worker.__main__ as m
m.work = lambda _: sys.exit({code})
sys.exit(m.main())
""")
    _, reserved, failed = lines(process)
    assert (process.returncode, failed["exitCode"], read(table)["error"]["exitCode"]) == (1, 1, 1)
    assert reserved["level"] == "WARNING"
    assert str(NOT_FETCHED) in reserved["message"]


def test_simulated_reserved_code(table: Any, worker: Worker) -> None:
    """A simulated failure with the code of a container without its code ends with 1 instead."""
    process = worker(SIMULATE=json.dumps({"exitCode": NOT_FETCHED}))
    _, reserved, failed = lines(process)
    assert (process.returncode, failed["exitCode"], read(table)["error"]["exitCode"]) == (1, 1, 1)
    assert str(NOT_FETCHED) in reserved["message"]
