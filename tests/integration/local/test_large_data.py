"""Inputs and results that no variable and no record can hold, through whole flows."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from local.gateway import Kill
from tests.e2e.user import id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from local.gateway import Caller
    from tests.e2e.user import User

INPUT = {"text": "x" * 650_000, "rows": [["é🚀", 0.1, None]] * 2_000}
# The worker's own reading of its input, and a line of the log that tells the digest of it.
READ = """\
import hashlib, json
from worker.process import run
def work(assignment):
    digest = hashlib.sha256(json.dumps(assignment.input).encode()).hexdigest()
    print(json.dumps({"digest": digest}), flush=True)
run(work)
"""
LAUNCH = ("PutItem", "PutObject", "RunTask", "UpdateItem")
RESULT = "é" + "x" * 5_000_000
ANSWER = """\
from worker.process import run
run(lambda _: "\\u00e9" + "x" * 5_000_000)
"""


class Death:
    """Kills one caller, and tells when it has."""

    def __init__(self, *, after: bool) -> None:
        self._kill, self.came = Kill(after=after), threading.Event()

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Kill the caller, before or after what was asked for is done."""
        self.came.set()
        return self._kill.apply(serve, caller)


def objects(user: User, prefix: str) -> dict[str, bytes]:
    """Return the bodies of the data bucket's objects by their keys."""
    s3, bucket = user.client("s3"), user.outputs["DataBucketName"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    keys = [each["Key"] for each in found]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_input(user: User) -> None:
    """An input of 700 KB reaches real workers unchanged, wherever their launches are killed."""
    deaths = {(call, after): Death(after=after) for call in LAUNCH for after in (False, True)}
    name = user.function("eventbridge").split(":")[6]
    for (operation, _), death in deaths.items():
        user.system.seams.inject(death, operation=operation, caller=name)
    payload: dict[str, Any] = {"command": ["python", "-c", READ], "input": INPUT}
    started = [user.start("eventbridge", **payload) for _ in deaths]
    for arn in started:
        record = user.closed(arn)
        assert (record["status"], record["launch"]) == ("COMPLETED", 1), record
        [task] = user.tasks(arn)
        told = [line["digest"] for line in user.lines(task) if "digest" in line]
        assert told == [hashlib.sha256(json.dumps(INPUT).encode()).hexdigest()]
        [body] = objects(user, f"inputs/{id_of(arn)}/").values()
        assert json.loads(body) == INPUT
    assert [which for which, death in deaths.items() if not death.came.is_set()] == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_result(user: User, *, after: bool) -> None:
    """A result of 5 MB comes back by its address, from the attempt after one killed at the put."""
    death, caller = Death(after=after), f"family:{user.stack}-worker"
    user.system.seams.inject(death, operation="PutObject", caller=caller)
    arn = user.start(
        "eventbridge",
        command=["python", "-c", ANSWER],
        maxAttempts=2,
        retryOn=["ApplicationFailed"],
    )
    result = user.result(arn)
    assert death.came.is_set()
    assert (result["attempt"], result["result"]) == (2, None)
    kept = objects(user, f"results/{id_of(arn)}/")
    assert len(kept) == (2 if after else 1)
    bucket = user.outputs["DataBucketName"]
    own = kept.pop(result["resultUri"].removeprefix(f"s3://{bucket}/"))
    assert digest(own) == digest(json.dumps(RESULT).encode())


def digest(body: bytes) -> str:
    """Return a body's SHA-256."""
    return hashlib.sha256(body).hexdigest()


def test_result_of_a_worker_that_was_killed_for_good(user: User) -> None:
    """DynamoDB: a worker killed at its put has failed, and no address leads to half a result."""
    user.system.seams.inject(
        Death(after=True), operation="PutObject", caller=f"family:{user.stack}-worker"
    )
    failed = user.closed(user.start("dynamodb", command=["python", "-c", ANSWER]))
    assert (failed["status"], failed.get("resultUri")) == ("FAILED", None)
    record: dict[str, Any] = user.closed(user.start("dynamodb", command=["python", "-c", ANSWER]))
    assert (record["status"], record.get("result")) == ("COMPLETED", None)
    key = record["resultUri"].removeprefix(f"s3://{user.outputs['DataBucketName']}/")
    assert digest(objects(user, key)[key]) == digest(json.dumps(RESULT).encode())
