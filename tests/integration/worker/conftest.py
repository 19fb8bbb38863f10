from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from core.flow import Flow
from core.record import Status
from tests.integration.worker.container import CREDENTIALS, SOURCE, TABLE, TICKET, dynamodb
from tests.values import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.worker.container import Worker


@pytest.fixture(scope="package")
def endpoint() -> Iterator[str]:
    """DynamoDB over HTTP, for processes."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


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
