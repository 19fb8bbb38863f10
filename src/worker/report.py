"""The worker's writes to its record: conditional, and harmless when repeated."""

from __future__ import annotations

import json
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Attr
from botocore.config import Config

from worker import data
from worker.log import logger
from worker.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto3.dynamodb.conditions import ConditionBase
    from boto3.resources.base import ServiceResource

    from worker.assignment import Assignment

# A callback takes 256 KiB; the rest is for the other fields of the answer.
MAX_RESULT_BYTES = 256_000
LARGE_RESULT = "result.json"
_NOT_ENDED = ["PENDING", "RUNNING"]
_TRIES, _TRIES_FOR_PROGRESS = 12, 3
# A process has one assignment; only a test runs several, each on a thread of its own.
_of_thread: ContextVar[Progress | None] = ContextVar("progress", default=None)
_of_process: list[Progress] = []


class ResultRefusedError(Exception):
    """The result cannot be handed over; the message says why and what to do."""


def progress(percent: float, message: str = "") -> None:
    """Write into the record how far the work is; it never raises an error.

    The first report is written at once, then one in ten seconds at most, and the last one when the
    work ends. Without a ticket nothing is written. Outside of `worker.process.run` it only logs.

    Args:
        percent: from 0 to 100; a value outside counts as the nearest one.
        message: text for people, cut after 500 characters.
    """
    if current := _of_thread.get() or next(iter(_of_process[-1:]), None):
        current.say(percent, message)
    else:
        logger.warning("Progress not taken: no work runs by worker.process.run")


@contextmanager
def progress_of(assignment: Assignment) -> Iterator[None]:
    """Let `progress` write to an assignment's record; the last report is written at the end."""

    def write(said: dict[str, Any]) -> None:
        if assignment.tells_result:
            _update(assignment, {"progress": said}, tries=_TRIES_FOR_PROGRESS)

    current = Progress(write)
    token = _of_thread.set(current)
    _of_process.append(current)
    try:
        yield
    finally:
        _of_process.remove(current)
        _of_thread.reset(token)
        current.finish()


def encoded(result: object) -> str:
    """Return a result as JSON text.

    Raises:
        ResultRefusedError: the result is no JSON value.
    """
    try:
        return json.dumps(result, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ResultRefusedError(f"The result is not JSON: {error}.") from error


def told(text: str, result_uri: str | None) -> tuple[str, str]:
    """Return the attribute in which the record holds a result or its address, and its value.

    Args:
        text: the result, as JSON text in ASCII.
        result_uri: the attempt's own prefix in S3; None where it has none.

    Raises:
        ResultRefusedError: the record has no room for it, and the attempt has no place in S3.
    """
    if len(text) <= MAX_RESULT_BYTES:
        return "result", text
    if result_uri:
        return "resultUri", f"{result_uri}{LARGE_RESULT}"
    raise ResultRefusedError(
        f"The result is {len(text)} bytes of JSON, at most {MAX_RESULT_BYTES} are possible: "
        "store it, for example in S3, and return its address."
    )


def result(assignment: Assignment, text: str) -> None:
    """Write the result, and COMPLETED where the worker writes the status.

    A result of more than 256,000 bytes goes to S3, below the attempt's own prefix, and the record
    gets its address.

    Raises:
        ResultRefusedError: see `told`.
        botocore.exceptions.ClientError: the record has moved on, or DynamoDB or S3 did not answer.
    """
    column, value = told(text, assignment.result_uri)
    other = "resultUri"
    if column == other:
        data.put(value, text.encode())
        other = "result"
    same = (Attr(column).not_exists() | Attr(column).eq(value)) & Attr(other).not_exists()
    changes = {column: value}
    if assignment.tells_end:
        changes["status"] = "COMPLETED"
        same &= Attr("status").is_in([*_NOT_ENDED, "COMPLETED"])
    _update(assignment, changes, same)


def failure(assignment: Assignment, error: BaseException, exit_code: int) -> None:
    """Write FAILED and the error, where the worker writes the status.

    Raises:
        botocore.exceptions.ClientError: the record has moved on, or DynamoDB did not answer.
    """
    said = f"{type(error).__name__}: {error}"
    failed = {
        # DynamoDB takes no half of a character.
        "summary": said.encode(errors="backslashreplace").decode()[:1_000],
        "detail": f"The worker exits with code {exit_code}",
        "exitCode": exit_code,
        "advice": "The container's log has the traceback.",
    }
    changes = {"status": "FAILED", "error": failed}
    _update(assignment, changes, Attr("status").is_in(_NOT_ENDED) | Attr("error").eq(failed))


def _update(
    assignment: Assignment,
    changes: dict[str, Any],
    condition: ConditionBase | None = None,
    tries: int = _TRIES,
) -> None:
    # The close and the next attempt remove the ticket, so DynamoDB refuses later writes.
    own = Attr("ticket").eq(assignment.ticket)
    _table(assignment.record_table or "", tries).update_item(
        Key={"executionId": assignment.execution_id},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
        ExpressionAttributeNames={f"#{name}": name for name in changes},
        ExpressionAttributeValues={f":{name}": value for name, value in changes.items()},
        ConditionExpression=own & condition if condition else own,
    )


@cache
def _table(name: str, tries: int) -> ServiceResource:
    # A result of work that is done is worth many tries against a throttle; progress gets few.
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": tries})
    return boto3.resource("dynamodb", config=config).Table(name)
