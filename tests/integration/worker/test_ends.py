from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from core.outcome import NOT_FETCHED
from tests.integration.worker.container import (
    lines,
    read,
)

if TYPE_CHECKING:
    from tests.integration.worker.container import Worker


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


@pytest.mark.usefixtures("table")
def test_trace(worker: Worker) -> None:
    """Each line of the work's log has the trace's id, under the name that the functions use."""
    root = "1-5759e988-bd862e3fe1be46a994272793"
    logged = lines(worker(_X_AMZN_TRACE_ID=f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1"))
    assert {line["xray_trace_id"] for line in logged} == {root}
    assert not any("xray_trace_id" in line for line in lines(worker()))


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


@pytest.mark.parametrize("work", ["lambda _: 1", "lambda _: 'x' * 256_001", "told"])
def test_polling_knows_no_record(table: Any, worker: Worker, work: str) -> None:
    """A worker without a record to report to does its work, and writes nothing."""
    before = read(table)
    process = worker(
        f"""\
from worker import report
from worker.process import run
def told(_): report.progress(50)
run({work})
""",
        EXECUTION_FLOW="polling",
        RECORD_TABLE="",
    )
    logged = [line["message"] for line in lines(process)]
    assert (process.returncode, logged) == (0, ["Work started", "Work finished"])
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
from worker.process import run
def work(_): raise ValueError("half \ud83d")
run(work)
""")
    logged = lines(process)
    assert [line["message"] for line in logged] == ["Work started", "Work failed"]
    assert process.returncode == 1
    assert read(table)["error"]["summary"] == r"ValueError: half \ud83d"


def test_older_orchestrator(table: Any, worker: Worker) -> None:
    """A worker without variables for input, message and results works by the defaults."""
    process = worker("""\
import os, sys
for name in ("MESSAGE", "PROCESSING_TIME"): del os.environ[name]
import worker.work
worker.work.time.sleep = lambda _: None
from worker.process import run
run(worker.work.work)
""")
    lines(process)
    assert process.returncode == 0
    result = json.loads(read(table)["result"])
    assert (result["message"], result["processingTime"]) == ("Processed: No message provided", 5)


def test_sigterm(table: Any, worker: Worker) -> None:
    """SIGTERM ends the work with 143 and writes nothing: ECS reports why it was sent."""
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
    """Work that ends with sys.exit has failed, with its own code if that is a failure's."""
    process = worker(f"""\
import sys
from worker.process import run
run(lambda _: sys.exit({code}))
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
run(lambda _: sys.exit({code}))
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
