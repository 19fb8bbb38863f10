from __future__ import annotations

import hashlib
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


@pytest.fixture
def bucket(endpoint: str) -> Iterator[Any]:
    """The data bucket."""
    s3 = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - moto takes any
    )
    bucket = s3.create_bucket(Bucket="data")
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


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
import sys
PIECES = 6
def look_at(number):
    print("piece", number)
    if number == int(os.environ["MESSAGE"]):
        time.sleep(3600)
    return 1
from worker.process import run
sys.exit(run(work))
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


def test_documented_module(table: Any, worker: Worker) -> None:
    """The documented module of one's own hands over its result and its progress."""
    process = worker(documented("def etl"), INPUT='{"rows": [7, 8]}')
    lines(process)
    item = read(table)
    assert (process.returncode, json.loads(item["result"])) == (0, {"rows": 2})
    assert (item["status"], item["progress"]["message"]) == ("COMPLETED", "row 8")


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


@pytest.mark.parametrize("work", ["lambda _: 1", "lambda _: 'x' * 256_001", "told"])
def test_polling_knows_no_record(table: Any, worker: Worker, work: str) -> None:
    """Without a record to report to the worker works all the same, and writes nothing."""
    before = read(table)
    process = worker(
        f"""\
from worker import report
from worker.process import run
def told(_): report.progress(50)
exit(run({work}))
""",
        EXECUTION_FLOW="polling",
        RECORD_TABLE="",
    )
    logged = [line["message"] for line in lines(process)]
    assert (process.returncode, logged) == (0, ["Work started", "Work finished"])
    assert read(table) == before


def test_progress_outside_of_work(worker: Worker) -> None:
    """Progress that no record can be told, for no work runs, is said to be so by the log."""
    process = worker("from worker import report; report.progress(50)")
    [line] = lines(process)
    assert (process.returncode, line["level"]) == (0, "WARNING")
    assert "worker.process.run" in line["message"]


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
from worker.process import run
def work(_): raise ValueError("half \ud83d")
sys.exit(run(work))
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
    process = worker("from worker.process import run; exit(run(lambda _: 'x' * 256_001))")
    lines(process)
    assert process.returncode == 1
    summary = read(table)["error"]["summary"]
    assert "256003 bytes" in summary
    assert "S3" in summary


RESULT_URI = f"s3://data/results/one/1-{TICKET}/"
# Work whose result has five million bytes.
LARGE = """\
import sys
from worker.process import run
sys.exit(run(lambda _: "\\u00e9" + "x" * 5_000_000))
"""


@pytest.mark.parametrize("flow", ["dynamodb", "eventbridge"])
def test_large_result(table: Any, bucket: Any, worker: Worker, flow: str) -> None:
    """A result over 256,000 bytes is in S3, below the attempt's prefix; the record says where."""
    process = worker(LARGE, EXECUTION_FLOW=flow, RESULT_URI=RESULT_URI)
    lines(process)
    item = read(table)
    assert (process.returncode, item["resultUri"]) == (0, f"{RESULT_URI}result.json")
    assert "result" not in item
    assert item["status"] == ("COMPLETED" if flow == "dynamodb" else "RUNNING")
    [found] = bucket.objects.all()
    body = found.get()["Body"].read()
    expected = json.dumps("\u00e9" + "x" * 5_000_000).encode()
    assert f"s3://data/{found.key}" == item["resultUri"]
    assert hashlib.sha256(body).digest() == hashlib.sha256(expected).digest()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_the_put(table: Any, bucket: Any, worker: Worker, moment: str) -> None:
    """A worker killed before or after it puts its result has told nothing of it; the next one does.

    The next attempt's object is another one, below a prefix of its own.
    """
    before = read(table)
    put = {"before": "die()", "after": "put(*given); die()"}[moment]
    killed = worker(
        f"""\
import os, signal
from worker import data
put = data.put
def die(): os.kill(os.getpid(), signal.SIGKILL)
def dying(*given): {put}
data.put = dying
{LARGE}""",
        RESULT_URI=RESULT_URI,
    )
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    assert read(table) == before
    ticket = "fedcba9876543210" * 2
    table.put_item(Item=before | {"ticket": ticket, "attempt": 2})
    uri = f"s3://data/results/one/2-{ticket}/"
    variables = {"EXECUTION_ATTEMPT": "2", "EXECUTION_TICKET": ticket, "RESULT_URI": uri}
    again = worker(LARGE, **variables)
    lines(again)
    assert (again.returncode, read(table)["resultUri"]) == (0, f"{uri}result.json")
    keys = {found.key for found in bucket.objects.all()}
    own = {f"results/one/2-{ticket}/result.json"}
    left = {f"results/one/1-{TICKET}/result.json"} if moment == "after" else set()
    assert keys == own | left


def test_large_result_that_comes_too_late(table: Any, bucket: Any, worker: Worker) -> None:
    """A large result of an attempt that is over leaves the record as it is, and exits with 1."""
    item = read(table) | {"ticket": "fedcba9876543210" * 2}
    table.put_item(Item=item)
    process = worker(LARGE, RESULT_URI=RESULT_URI)
    lines(process)
    assert (process.returncode, read(table)) == (1, item)
    assert [found.key for found in bucket.objects.all()] == [f"results/one/1-{TICKET}/result.json"]


def test_result_that_cannot_be_put(table: Any, worker: Worker) -> None:
    """A large result that S3 does not take is a failure of the work's, with what S3 said."""
    process = worker(LARGE, RESULT_URI="s3://no-such-bucket/prefix/")
    lines(process)
    item = read(table)
    assert (process.returncode, item["status"]) == (1, "FAILED")
    assert "NoSuchBucket" in item["error"]["summary"]
    assert not {"result", "resultUri"} & item.keys()


def test_large_result_without_ticket(table: Any, bucket: Any, worker: Worker) -> None:
    """Without a ticket nothing is written, neither into the record nor into the bucket."""
    before = read(table)
    process = worker(LARGE, RESULT_URI=RESULT_URI, EXECUTION_TICKET="")
    lines(process)
    assert (process.returncode, read(table)) == (0, before)
    assert list(bucket.objects.all()) == []


ECHO = """\
import sys
from worker.process import run
sys.exit(run(lambda assignment: assignment.input))
"""


@pytest.mark.parametrize("value", [None, {"day": "2026-01-05", "Größe": [1, "🚀"]}], ids=str)
def test_input(table: Any, bucket: Any, worker: Worker, value: object) -> None:
    """The work gets its input parsed, whether a variable holds it or an object."""
    bucket.put_object(Key="inputs/one/0123.json", Body=json.dumps(value).encode())
    for variable in ({"INPUT": json.dumps(value)}, {"INPUT_URI": "s3://data/inputs/one/0123.json"}):
        table.put_item(Item={k: v for k, v in read(table).items() if k != "result"})
        process = worker(ECHO, EXECUTION_FLOW="eventbridge", **variable)
        lines(process)
        assert (process.returncode, json.loads(read(table)["result"])) == (0, value)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"INPUT": "{"}, "JSONDecodeError"),
        ({"INPUT_URI": "s3://data/inputs/none.json"}, "NoSuchKey"),
        ({"INPUT_URI": "s3://no-such-bucket/x"}, "NoSuchBucket"),
    ],
    ids=["no JSON", "no object", "no bucket"],
)
@pytest.mark.usefixtures("bucket")
def test_input_that_is_not_there(
    table: Any, worker: Worker, variable: dict[str, str], said: str
) -> None:
    """An input that cannot be read is a failure of the work's, and says why."""
    process = worker(ECHO, **variable)
    lines(process)
    item = read(table)
    assert (process.returncode, item["status"]) == (1, "FAILED")
    assert said in item["error"]["summary"]


def test_older_orchestrator(table: Any, worker: Worker) -> None:
    """A worker told nothing of input, message and place for results works by the defaults."""
    process = worker("""\
import os, sys
for name in ("MESSAGE", "PROCESSING_TIME"): del os.environ[name]
import worker.work
worker.work.time.sleep = lambda _: None
from worker.process import run
sys.exit(run(worker.work.work))
""")
    lines(process)
    assert process.returncode == 0
    result = json.loads(read(table)["result"])
    assert (result["message"], result["processingTime"]) == ("Processed: No message provided", 5)


PROGRESS_OF_WORK = """\
import json, sys, threading
from worker.process import run
from worker import report
def work(_):
    for percent in (10, 20, 30): report.progress(percent, f"part {percent}")
    thread = threading.Thread(target=report.progress, args=[40, "from a thread"])
    thread.start(); thread.join()
    END
sys.exit(run(work))
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [("return 1", 0), ("raise OSError", 1), ("import signal; signal.raise_signal(15)", 143)],
)
def test_progress(table: Any, worker: Worker, end: str, code: int) -> None:
    """The record has the work's last word on how far it was, however the work has ended."""
    updated = read(table).get("updatedAt")
    process = worker(PROGRESS_OF_WORK.replace("END", end))
    lines(process)
    item = read(table)
    assert process.returncode == code
    assert (item["progress"]["percent"], item["progress"]["message"]) == (40, "from a thread")
    assert item.get("updatedAt") == updated


@pytest.mark.parametrize("moved_on", ["ticket", "table", "no ticket"])
def test_progress_that_cannot_be_written(table: Any, worker: Worker, moved_on: str) -> None:
    """Progress that the record does not take is no error of the work's."""
    if moved_on == "ticket":
        table.put_item(Item=read(table) | {"ticket": "fedcba9876543210" * 2})
    before = read(table)
    changes = {
        "ticket": {},
        "table": {"RECORD_TABLE": "none"},
        "no ticket": {"EXECUTION_TICKET": ""},
    }
    work = PROGRESS_OF_WORK.replace("END", "print(json.dumps({'message': 'done'})); sys.exit(9)")
    process = worker(work, EXECUTION_FLOW="eventbridge", **changes[moved_on])
    logged = [line["message"] for line in lines(process)]
    assert (process.returncode, read(table)) == (9, before)
    assert "done" in logged
    refused = [line for line in logged if line.startswith("Progress not recorded")]
    assert bool(refused) is (moved_on != "no ticket")


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
from worker.process import run
sys.exit(run(lambda _: sys.exit({code})))
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
from worker.process import run
sys.exit(run(lambda _: sys.exit({code})))
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
