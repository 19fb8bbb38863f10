from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.worker.container import (
    lines,
    read,
)

if TYPE_CHECKING:
    from tests.integration.worker.container import Worker

PROGRESS_OF_WORK = """\
import json, sys, threading
from worker.process import run
from worker import report
def work(_):
    for percent in (10, 20, 30): report.progress(percent, f"part {percent}")
    thread = threading.Thread(target=report.progress, args=[40, "from a thread"])
    thread.start(); thread.join()
    END
run(work)
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


def test_progress_outside_of_work(worker: Worker) -> None:
    """Progress outside of a run is logged as not recorded."""
    process = worker("from worker import report; report.progress(50)")
    [line] = lines(process)
    assert (process.returncode, line["level"]) == (0, "WARNING")
    assert "worker.process.run" in line["message"]
