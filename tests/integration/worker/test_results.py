from __future__ import annotations

import hashlib
import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.worker.container import (
    RESULT_URI,
    TICKET,
    lines,
    read,
)
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.integration.worker.container import Worker

# Work whose result has five million bytes.
LARGE = """\
import sys
from worker.process import run
run(lambda _: "\\u00e9" + "x" * 5_000_000)
"""


def test_result_is_not_overwritten(table: Any, worker: Worker) -> None:
    """A result that is there stays; a second worker of the attempt exits with an error."""
    table.put_item(Item=read(table) | {"result": '"first"'})
    process = worker(EXECUTION_FLOW="eventbridge")
    lines(process)
    assert (process.returncode, read(table)["result"]) == (1, '"first"')


def test_too_large(table: Any, worker: Worker) -> None:
    """A result over 256 KB is refused with its size, the limit and what to do instead."""
    process = worker("from worker.process import run; run(lambda _: 'x' * 256_001)")
    lines(process)
    assert process.returncode == 1
    summary = read(table)["error"]["summary"]
    assert "256003 bytes" in summary
    assert "S3" in summary


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
    """A worker without a ticket writes neither into the record nor into the bucket."""
    before = read(table)
    process = worker(LARGE, RESULT_URI=RESULT_URI, EXECUTION_TICKET="")
    lines(process)
    assert (process.returncode, read(table)) == (0, before)
    assert list(bucket.objects.all()) == []
