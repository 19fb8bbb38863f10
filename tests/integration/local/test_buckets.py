from __future__ import annotations

import hashlib
import io
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.gateway import Drop, Refuse
from local.system import System
from tests.integration.local.strangers import Asked
from tests.template import source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGE = bytes(range(256)) * 40_000
BUCKET = {"Fn::GetAtt": ["Shelf", "Arn"]}
OBJECTS = {"Fn::Sub": "${Shelf.Arn}/papers/*"}


def shelved() -> dict[str, Any]:
    """The template with a bucket, in a folder of which the worker may read and write."""
    template = source()
    granted = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": OBJECTS,
    }
    only_tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, {"Fn::Sub": "${Shelf.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    kept = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": {"Fn::Sub": "${Shelf.Arn}/*"},
    }
    resources = template["Resources"]
    resources["Shelf"] = {"Type": "AWS::S3::Bucket"}
    resources["ShelfPolicy"] = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Shelf"}, "PolicyDocument": document(only_tls, kept)},
    }
    resources["Shelving"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": document(granted)},
    }
    worker = resources["TaskRole"]["Properties"]
    worker["ManagedPolicyArns"] = [*worker.get("ManagedPolicyArns", []), {"Ref": "Shelving"}]
    template["Outputs"]["Shelf"] = {"Description": "A shelf", "Value": {"Ref": "Shelf"}}
    return template


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The local system with a bucket of its own."""
    path = tmp_path_factory.mktemp("shelf") / "template.yaml"
    path.write_text(json.dumps(shelved()))
    with System(path, time_scale=100) as running:
        yield running


@pytest.fixture
def bucket(shelf: System) -> str:
    """The bucket's name."""
    return shelf.stack.outputs["Shelf"]


@pytest.fixture
def client(shelf: System) -> Iterator[Callable[[str | None], Any]]:
    """Return what makes a client of S3, for somebody with a role."""
    callers = []

    def made(role: str | None) -> Any:
        caller = shelf.callers.new("mine", role)
        callers.append(caller)
        return boto3.client(
            "s3",
            region_name=shelf.stack.region,
            endpoint_url=shelf.endpoint,
            aws_access_key_id=caller.access_key,
            aws_secret_access_key=caller.secret,
            config=Config(signature_version="s3v4"),
        )

    yield made
    shelf.seams.clear()


def digest(content: bytes) -> str:
    """Return what tells two contents apart."""
    return hashlib.sha256(content).hexdigest()


def test_name(bucket: str, shelf: System) -> None:
    """A bucket without a name gets one as CloudFormation makes it: the stack's, its own, random."""
    assert bucket.startswith(f"{shelf.stack.name}-shelf-")
    assert bucket == bucket.lower()
    assert len(bucket) <= 63


@pytest.mark.parametrize("key", ["papers/plain.json", "papers/a folder/ü+&=?"])
def test_large_objects(bucket: str, client: Callable[[str | None], Any], key: str) -> None:
    """An object of ten megabytes comes back as a role has put it, whatever its key."""
    worker = client("TaskRole")
    worker.put_object(Bucket=bucket, Key=key, Body=LARGE)
    got = worker.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert digest(got) == digest(LARGE)


def test_parts(bucket: str, client: Callable[[str | None], Any]) -> None:
    """An object that the SDK uploads in parts needs the right to put it, and no other."""
    worker = client("TaskRole")
    content = LARGE * 2
    worker.upload_fileobj(io.BytesIO(content), bucket, "papers/parts")
    got = io.BytesIO()
    client(None).download_fileobj(bucket, "papers/parts", got)
    assert digest(got.getvalue()) == digest(content)
    with pytest.raises(ClientError, match="AccessDenied"):
        worker.create_multipart_upload(Bucket=bucket, Key="elsewhere")


def test_json_of_any_depth(bucket: str, client: Callable[[str | None], Any]) -> None:
    """An object is kept as it comes, even JSON of any depth."""
    deep = b"[" * 5_000 + b"]" * 5_000
    worker = client("TaskRole")
    where = {"Bucket": bucket, "Key": "papers/deep"}
    worker.put_object(**where, Body=deep, ContentType="application/json")
    assert worker.get_object(**where)["Body"].read() == deep


@pytest.mark.parametrize(
    ("operation", "key", "action"),
    [
        ("put_object", "elsewhere/a", "s3:PutObject"),
        ("get_object", "elsewhere/a", "s3:GetObject"),
        ("delete_object", "papers/a", "s3:DeleteObject"),
        ("list_objects_v2", None, "s3:ListBucket"),
    ],
)
def test_refused(
    bucket: str,
    client: Callable[[str | None], Any],
    operation: str,
    key: str | None,
    action: str,
) -> None:
    """A call that a role's policies or the bucket's own do not allow is refused in S3's words."""
    about = {"Bucket": bucket} | ({"Key": key} if key else {})
    with pytest.raises(ClientError) as refused:
        getattr(client("TaskRole"), operation)(**about)
    error = refused.value.response["Error"]
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    assert error["Code"] == "AccessDenied"
    assert f"is not authorized to perform: {action} on resource: {resource} " in error["Message"]


def test_missing_object(bucket: str, client: Callable[[str | None], Any]) -> None:
    """A caller learns that an object is missing only if it may list the bucket."""
    missing = {"Bucket": bucket, "Key": "papers/missing"}
    with pytest.raises(ClientError, match="NoSuchKey"):
        client(None).get_object(**missing)
    for operation in ("get_object", "head_object"):
        with pytest.raises(ClientError) as refused:
            getattr(client("TaskRole"), operation)(**missing)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "fault",
    [
        Refuse("SlowDown", "Please reduce your request rate.", HTTPStatus.SERVICE_UNAVAILABLE),
        Drop(after=True),
    ],
    ids=["refused", "lost"],
)
@pytest.mark.parametrize("operation", ["PutObject", "GetObject"])
def test_faults(
    shelf: System,
    bucket: str,
    client: Callable[[str | None], Any],
    operation: str,
    fault: Refuse | Drop,
) -> None:
    """A test can let the calls to S3 go wrong by their names, and the SDK tries them again."""
    worker = client("TaskRole")
    where = {"Bucket": bucket, "Key": "papers/again"}
    shelf.seams.inject(fault, operation=operation)
    put = worker.put_object(**where, Body=b"once")
    got = worker.get_object(**where)
    assert got["Body"].read() == b"once"
    retried = {"PutObject": put, "GetObject": got}[operation]["ResponseMetadata"]["RetryAttempts"]
    assert retried == 1


def test_presigned(bucket: str, client: Callable[[str | None], Any]) -> None:
    """A presigned URL of a role gives what the role may read, and nothing else."""
    worker = client("TaskRole")
    client(None).put_object(Bucket=bucket, Key="papers/signed", Body=b"paper")
    client(None).put_object(Bucket=bucket, Key="elsewhere/signed", Body=b"secret")
    for key, answered in (("papers", HTTPStatus.OK), ("elsewhere", HTTPStatus.FORBIDDEN)):
        where = {"Bucket": bucket, "Key": f"{key}/signed"}
        url = worker.generate_presigned_url("get_object", Params=where)
        assert Asked(url).send().status == answered


CHUNKED = {
    "X_Amz_Content_SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "X_Amz_Decoded_Content_Length": "5",
    "X_Amz_Trailer": "x-amz-checksum-crc32",
    "Content_Encoding": "aws-chunked",
}
CHUNKS = "5\r\npaper\r\n0\r\nx-amz-checksum-crc32:p7hZjA==\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"X_Amz_Content_SHA256": "UNSIGNED-PAYLOAD"}, "paper"), (CHUNKED, CHUNKS)],
    ids=["unsigned", "chunks"],
)
def test_body_that_is_not_signed(
    shelf: System, bucket: str, client: Callable[[str | None], Any], headers: Any, body: str
) -> None:
    """An object may come with an unsigned body, as tools send it, but not without a key."""
    put = Asked(f"{shelf.endpoint}/{bucket}/papers/free", "PUT", body=body).with_headers(**headers)
    for secret, answered in (("forged", HTTPStatus.FORBIDDEN), (None, HTTPStatus.OK)):
        caller = shelf.callers.new("tool", "TaskRole")
        signed = put.signed(caller.access_key, secret or caller.secret, "s3")
        assert signed.send().status == answered
    stored = client(None).get_object(Bucket=bucket, Key="papers/free")
    assert stored["Body"].read() == b"paper"


def test_next_system(tmp_path: Path) -> None:
    """A system's objects are gone with it: the next one in its Region begins with none."""
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(shelved()))
    named = set()
    for _ in range(2):
        with System(path, in_process=True) as running:
            name = running.stack.outputs["Shelf"]
            named.add((running.stack.region, name))
            s3 = running.account.client("s3")
            assert "Contents" not in s3.list_objects_v2(Bucket=name)
            s3.put_object(Bucket=name, Key="left", Body=b"x")
    assert len(named) == 1
