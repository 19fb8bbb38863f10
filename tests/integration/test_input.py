from __future__ import annotations

import base64
import hashlib
import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from core.record import Status
from orchestrator import dynamodb, eventbridge, polling
from tests.integration.attempts import OUT_OF_MEMORY, SPOT, SUCCESS, WAITING, mortal
from tests.integration.aws import ENVIRONMENT, error, hand, throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

BUCKET = ENVIRONMENT["DATA_BUCKET"]
VALUE = {"rows": ["é" * 7, 0.1, None] * 20_000, "text": "x" * 100_000}
# A launch's calls, and whether the function dies before or after each of them.
DEATHS = [
    (operation, after)
    for operation in ("dynamodb.PutItem", "s3.PutObject", "ecs.RunTask", "dynamodb.UpdateItem")
    for after in (False, True)
]
HANDLERS = pytest.mark.parametrize(
    "handler", [polling.handler, dynamodb.handler, eventbridge.handler], ids=["poll", "db", "eb"]
)


def variables(request: dict[str, Any]) -> dict[str, str]:
    """Return what a RunTask request tells the container."""
    [container] = request["overrides"]["containerOverrides"]
    return {pair["name"]: pair["value"] for pair in container["environment"]}


def read(uri: str) -> Any:
    """Return the JSON that an object of the bucket holds."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    assert bucket == BUCKET
    return json.loads(hand("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def calls(aws: Aws) -> list[str]:
    """Return the keys that were put, one for each call."""
    return [call["Key"] for call in aws.calls.get("PutObject", [])]


@pytest.mark.parametrize("death", DEATHS, ids=str)
@pytest.mark.parametrize("flow", WAITING)
def test_death_during_the_launch(
    durable: Start,
    attempts: Attempts,
    monkeypatch: pytest.MonkeyPatch,
    flow: str,
    death: tuple[str, bool],
) -> None:
    """A large input reaches the worker unchanged, wherever its launch dies, in one request."""
    aws, (operation, after) = attempts.aws, death
    traces = (f"Root=1-{number:08x}" for number in count(1))
    aws.at(operation, lambda: monkeypatch.setenv("_X_AMZN_TRACE_ID", next(traces)))
    attempts.die(operation, 1, after=after)
    execution = durable(mortal()(WAITING[flow]), {"input": VALUE})
    attempts.end(1, SUCCESS)
    assert execution.result()["outcome"] == "Succeeded"
    assert attempts.faults == len(aws.tasks()) == 1
    assert len(set(calls(aws))) == 1
    requests = {json.dumps(call) for call in aws.calls["RunTask"]}
    assert len(requests) == 1
    told = variables(json.loads(requests.pop()))
    assert read(told["INPUT_URI"]) == VALUE
    assert "INPUT" not in told
    stored = aws.record().job
    assert (stored.input, stored.input_uri) == (None, told["INPUT_URI"])
    assert len(json.dumps(stored.to_dict())) < 1_000


@HANDLERS
def test_order(aws: Aws, durable: Start, handler: Callable[..., Any]) -> None:
    """The object is put after the record exists and before a task is asked for."""
    seen: list[tuple[int, int]] = []
    aws.at("s3.PutObject", lambda: seen.append((len(aws.items()), len(aws.tasks()))))
    aws.script(lambda: aws.exit(0))
    execution = durable(handler, {"input": VALUE})
    aws.wait(aws.tasks)
    assert seen == [(1, 0)]
    if handler is eventbridge.handler:
        aws.wait_for_record(lambda record: record.task_arn)
        aws.exit(0)
        aws.report()
    execution.result()
    [key] = calls(aws)
    assert key.startswith(f"inputs/{aws.record().execution_id}/")


def test_object(aws: Aws, durable: Start) -> None:
    """The object is put as JSON, with a hash by which S3 refuses whatever else may come."""
    durable(dynamodb.handler, {"input": VALUE}).result()
    [call] = aws.calls["PutObject"]
    kept = hand("s3").get_object(Bucket=BUCKET, Key=call["Key"])
    body = kept["Body"].read()
    assert kept["ContentType"] == "application/json"
    assert base64.b64decode(call["ChecksumSHA256"]) == hashlib.sha256(body).digest()
    assert json.loads(body) == VALUE


def test_throttled_object(aws: Aws, durable: Start) -> None:
    """A put that S3 is too busy for is repeated under the same key, before any task."""
    aws.answer_with("s3.PutObject", *throttled(1))
    durable(dynamodb.handler, {"input": VALUE}).result()
    first, second = calls(aws)
    assert first == second
    assert len(aws.calls["RunTask"]) == 1


@HANDLERS
def test_refused_object(aws: Aws, durable: Start, handler: Callable[..., Any]) -> None:
    """A put that S3 refuses is a start that failed, in S3's words, and no task is asked for."""
    aws.answer_with("s3.PutObject", error("NoSuchBucket", "The specified bucket does not exist"))
    message, data = durable(handler, {"input": VALUE}).error()
    assert (data["kind"], data["transient"]) == ("FailedToStart", False)
    assert "The specified bucket does not exist" in message
    assert "cannot be put into the data bucket" in data["detail"]
    assert not aws.tasks()
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_second_attempt(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A further attempt is told the object of the first, which is not put again."""
    execution = durable(eventbridge.handler, {"input": VALUE})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    execution.result()
    first, second = attempts.run_task_calls()
    assert variables(first)["INPUT_URI"] == variables(second)["INPUT_URI"]
    assert len(calls(aws)) == 1


@pytest.mark.parametrize(
    "payload", [{"input": "short"}, {"inputUri": "s3://bucket/key"}, {}], ids=len
)
def test_no_object(aws: Aws, durable: Start, payload: dict[str, Any]) -> None:
    """Nothing is put for an input that is short, for a caller's own object, or for none."""
    durable(dynamodb.handler, payload).result()
    assert not calls(aws)


def test_closed_meanwhile(aws: Aws, durable: Start) -> None:
    """Nothing is put for a record that was closed before its task was asked for."""
    aws.at("dynamodb.PutItem", lambda: aws.rewrite("REMOVE #open"), 1, after=True)
    durable(dynamodb.handler, {"input": VALUE}).error()
    assert not calls(aws)
    assert not aws.tasks()


def test_memory_of_the_second_attempt(durable: Start, attempts: Attempts) -> None:
    """After an end for memory the next attempt asks for the next size of the list."""
    payload = {"memory": [512, 1_024], "retryOn": ["OutOfMemory"]}
    execution = durable(eventbridge.handler, payload)
    attempts.end(1, OUT_OF_MEMORY)
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2
    sizes = [call["overrides"]["memory"] for call in attempts.run_task_calls()]
    assert sizes == ["512", "1024"]
