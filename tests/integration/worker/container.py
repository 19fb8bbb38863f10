"""A worker's container as tests see it: its environment, its record and its log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3

from tests.template import ROOT
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

SOURCE = ROOT / "src"
TABLE, TICKET = "records", "0123456789abcdef" * 2
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
RESULT_URI = f"s3://data/results/one/1-{TICKET}/"
Worker: TypeAlias = "Callable[..., subprocess.Popen[str]]"


def dynamodb(endpoint: str) -> Any:
    """DynamoDB as this process calls it."""
    return boto3.resource(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - moto takes any
    )


def read(table: Any) -> dict[str, Any]:
    """Return the record's item."""
    return dict(table.get_item(Key={"executionId": "one"})["Item"])


def lines(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Wait for the worker's end and return its log lines."""
    out, _ = process.communicate(timeout=PATIENCE)
    return [json.loads(line) for line in out.splitlines()]
