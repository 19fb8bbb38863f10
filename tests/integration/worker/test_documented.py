from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.fragments import fragments
from tests.integration.worker.container import RESULT_URI, dynamodb, lines, read
from tests.markdown import Page
from tests.template import ROOT
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.worker.container import Worker

DOCUMENTED = Page(ROOT / "docs" / "worker.md")

PROGRESS = "progress"
# What stands around the documented `work` in a container, and in its place a piece that tells.
GOING_ON = """
import sys
PIECES = 6
def look_at(number):
    print("piece", number)
    if number == int(os.environ["MESSAGE"]):
        # A signal that comes right before a long sleep would be heard at its end only.
        while True:
            time.sleep(0.1)
    return 1
from worker.process import run
run(work)
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


def test_documented_file(table: Any, bucket: Any, worker: Worker, tmp_path: Path) -> None:
    """The documented work leaves its file below the attempt's own prefix, and says where."""
    example = f"import os; os.chdir({str(tmp_path)!r})\n{documented('csv.writer')}"
    process = worker(
        f"{example}\nfrom worker.process import run\nrun(work)\n",
        INPUT='{"rows": [[7, "a"], [8, "b"]]}',
        RESULT_URI=RESULT_URI,
    )
    lines(process)
    address = json.loads(read(table)["result"])["report"]
    assert (process.returncode, address) == (0, f"{RESULT_URI}report.csv")
    [found] = bucket.objects.all()
    assert f"s3://data/{found.key}" == address
    assert found.get()["Body"].read() == b"7,a\r\n8,b\r\n"


def test_work_that_goes_on(progress: Any, worker: Worker) -> None:
    """The documented work of days goes on in the attempt after one that got SIGTERM."""
    work = documented("PROGRESS_TABLE") + GOING_ON

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
