"""The worker's writes to its record: conditional, and harmless when repeated."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Attr
from botocore.config import Config

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from boto3.resources.base import ServiceResource

    from worker.assignment import Assignment

# A callback takes 256 KiB; the rest is for what is said around the result.
MAX_RESULT_BYTES = 256_000
_NOT_ENDED = ["PENDING", "RUNNING"]


class ResultRefusedError(Exception):
    """The result cannot be handed over; the message says why and what to do."""


def encoded(result: object) -> str:
    """Return a result as JSON text.

    Raises:
        ResultRefusedError: it is no JSON, or larger than 256,000 bytes.
    """
    try:
        text = json.dumps(result, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ResultRefusedError(f"The result is not JSON: {error}.") from error
    if len(text) > MAX_RESULT_BYTES:
        raise ResultRefusedError(
            f"The result is {len(text)} bytes of JSON, at most {MAX_RESULT_BYTES} are possible: "
            "store it (in S3, say) and return its address."
        )
    return text


def result(assignment: Assignment, text: str) -> None:
    """Write the result, and COMPLETED where the status is the worker's to write.

    Raises:
        botocore.exceptions.ClientError: the record has moved on, or DynamoDB did not answer.
    """
    same = Attr("result").not_exists() | Attr("result").eq(text)
    changes = {"result": text}
    if assignment.tells_end:
        changes["status"] = "COMPLETED"
        same &= Attr("status").is_in([*_NOT_ENDED, "COMPLETED"])
    _update(assignment, changes, same)


def failure(assignment: Assignment, error: BaseException, exit_code: int) -> None:
    """Write FAILED and the error, where the status is the worker's to write.

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


def _update(assignment: Assignment, changes: dict[str, Any], condition: ConditionBase) -> None:
    _table(assignment.record_table or "").update_item(
        Key={"executionId": assignment.execution_id},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
        ExpressionAttributeNames={f"#{name}": name for name in changes},
        ExpressionAttributeValues={f":{name}": value for name, value in changes.items()},
        # The close and the next attempt take the ticket away: what comes later is refused.
        ConditionExpression=Attr("ticket").eq(assignment.ticket) & condition,
    )


@cache
def _table(name: str) -> ServiceResource:
    # The work is done by now: a throttled table is worth some patience.
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 12})
    return boto3.resource("dynamodb", config=config).Table(name)
