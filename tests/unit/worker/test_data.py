from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from worker import data

if TYPE_CHECKING:
    from collections.abc import Iterator

URI = "s3://data/inputs/one/0123.json"
ASKED = {"Bucket": "data", "Key": "inputs/one/0123.json"}
TEXT = b'{"day":1}'


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """S3, which answers what a test has prepared; nothing else may be asked."""
    keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "testing")
    client = boto3.client("s3", region_name="us-east-1", **keys)
    monkeypatch.setattr(data, "_s3", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer(s3: Stubber, came: bytes) -> None:
    """Let the object be asked for once more, of which only so much comes."""
    body: Any = StreamingBody(io.BytesIO(came), len(TEXT))
    s3.add_response("get_object", {"Body": body}, ASKED)


@pytest.mark.parametrize("times", [0, 1, 4])
def test_body_that_breaks_off(s3: Stubber, times: int) -> None:
    """An object whose body breaks off is read again from its beginning."""
    for _ in range(times):
        answer(s3, TEXT[:4])
    answer(s3, TEXT)
    assert data.get(URI) == TEXT


def test_body_that_never_comes(s3: Stubber) -> None:
    """A body that breaks off at five reads is an error."""
    for _ in range(5):
        answer(s3, TEXT[:4])
    with pytest.raises(IncompleteReadError):
        data.get(URI)


def test_put(s3: Stubber) -> None:
    """An object is stored as JSON, at its own address."""
    stored = {**ASKED, "Body": TEXT, "ContentType": "application/json"}
    s3.add_response("put_object", {}, stored)
    data.put(URI, TEXT)
