from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import auth
from botocore.config import Config
from botocore.exceptions import ClientError

from local.gateway import Callers
from tests.integration.local.strangers import Asked, run_task, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.system import System
    from tests.e2e.user import User

PAGE = "https://page.example"
STRANGER = Callers().person


@pytest.fixture
def key(system: System) -> tuple[str, str]:
    """The access key and the secret of whoever uses the system."""
    variables = system.variables
    return variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]


def preflight(asked: Asked, _: tuple[str, str]) -> Asked:
    """Ask whether a page may send the request."""
    names = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x"}
    return Asked(asked.url, "OPTIONS").with_headers(Origin=PAGE, **names)


REQUESTS: dict[str, Callable[[Asked, tuple[str, str]], Asked]] = {
    "preflight": preflight,
    "plain GET": lambda asked, _: Asked(asked.url),
    "plain POST": lambda asked, _: asked,
    "form": lambda asked, _: asked.but(headers={"Content-Type": "text/plain"}),
    "no signature": lambda asked, _: asked.with_headers(Authorization="AWS4-HMAC-SHA256 mine"),
    "forged signature": lambda asked, key: asked.signed(key[0], STRANGER.secret),
    "stranger's key": lambda asked, _: asked.signed(STRANGER.access_key, STRANGER.secret),
    "a tool's key": lambda asked, _: asked.signed("foo", "bar"),
    "another app": lambda asked, _: asked.signed("foo", "bar").with_headers(User_Agent="app/x"),
    "rebound host": lambda asked, key: asked.with_headers(Host="page.example:80").signed(*key),
    "Origin": lambda asked, key: asked.signed(*key).with_headers(Origin=PAGE),
    "Origin: null": lambda asked, key: asked.signed(*key).with_headers(origin="null"),
    "Sec-Fetch-Site": lambda asked, key: asked.signed(*key).with_headers(Sec_Fetch_Site="none"),
    "another body": lambda asked, key: asked.signed(*key).but(body=f"{asked.body} "),
    "another hash": lambda asked, key: asked.with_headers(X_Amz_Content_SHA256="0").signed(*key),
    "header added": lambda asked, key: asked.signed(*key).with_headers(X_Amz_More="1"),
    "header left out": lambda asked, key: asked.signed(*key).but(
        headers={k: v for k, v in asked.signed(*key).headers.items() if k != "X-Amz-Target"}
    ),
    "no date": lambda asked, key: asked.signed(*key).with_headers(X_Amz_Date="20261301T000000Z"),
    "a day": lambda asked, key: asked.signed(*key).with_headers(X_Amz_Date="20260101"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_strangers(system: System, key: tuple[str, str], name: str) -> None:
    """A request of a page, or without a key of this run, is refused and starts nothing."""
    asked = run_task(system)
    answer = REQUESTS[name](asked, key).send()
    assert answer.status == HTTPStatus.FORBIDDEN
    assert "does not answer this request" in answer.message
    assert not [header for header in answer.headers if header.startswith("access-control-")]
    assert not started(system, asked)


def test_own_key(system: System, key: tuple[str, str], user: User) -> None:
    """The same request starts a task if it is signed with the key that `make env` exports."""
    asked = run_task(system)
    answer = asked.signed(*key).send()
    assert answer.status == HTTPStatus.OK
    [arn] = started(system, asked)
    user.stop(arn)


def test_tool_with_a_constant_key(system: System) -> None:
    """A tool that signs with a key of its own is known by the name that `make env` exports."""
    name = system.variables["AWS_SDK_UA_APP_ID"]
    headers = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    asked = Asked(system.endpoint, "POST", headers, "{}").signed("foo", "bar")
    answer = asked.with_headers(User_Agent=f"Botocore/1.0 app/{name} md/x").send()
    assert answer.status == HTTPStatus.OK


@pytest.mark.parametrize("minutes", [-10, -1, 1, 10])
def test_date(
    system: System, key: tuple[str, str], monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """A request is answered some minutes before and after its signature's date, and no longer."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: at)
    headers = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    answer = Asked(system.endpoint, "POST", headers, "{}").signed(*key).send()
    assert (answer.status == HTTPStatus.OK) is (abs(minutes) == 1)


@pytest.mark.parametrize(
    "path", ["/moto-api/", "/moto-api/data.json", "/favicon.ico", "/latest/meta-data/"]
)
@pytest.mark.parametrize("is_signed", [False, True], ids=["not signed", "signed"])
def test_motos_pages(system: System, key: tuple[str, str], path: str, *, is_signed: bool) -> None:
    """The pages of moto itself, and of an instance's metadata, are not served."""
    asked = Asked(f"{system.endpoint}{path}")
    answer = (asked.signed(*key, "s3") if is_signed else asked).send()
    assert answer.status == HTTPStatus.FORBIDDEN


def test_motos_reset(system: System, key: tuple[str, str]) -> None:
    """The page with which moto resets its state is not served."""
    asked = Asked(f"{system.endpoint}/moto-api/reset", "POST").signed(*key)
    assert asked.send().status == HTTPStatus.FORBIDDEN
    tables = system.account.client("dynamodb").list_tables()["TableNames"]
    assert system.stack.outputs["CallbackTableName"] in tables


# One or more for each form in which AWS writes errors.
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "cloudformation": ("describe_stacks", {}),
    "cloudwatch": ("list_metrics", {}),
    "dynamodb": ("list_tables", {}),
    "ec2": ("describe_vpcs", {}),
    "ecs": ("list_clusters", {}),
    "events": ("list_rules", {}),
    "lambda": ("list_functions", {}),
    "logs": ("describe_log_groups", {}),
    "s3": ("list_buckets", {}),
    "sqs": ("list_queues", {}),
    "ssm": ("describe_parameters", {}),
    "sts": ("get_caller_identity", {}),
    "xray": ("get_groups", {}),
}


def client(system: System, service: str, access_key: str, secret: str) -> Any:
    """Return a client that asks once."""
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client(
        service,
        endpoint_url=system.endpoint,
        region_name=system.stack.region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        config=once,
    )


@pytest.mark.parametrize("service", OPERATIONS)
def test_message(system: System, service: str) -> None:
    """A user whose keys are of an earlier run reads what to do, whatever service is asked."""
    operation, parameters = OPERATIONS[service]
    asking = client(system, service, STRANGER.access_key, STRANGER.secret)
    with pytest.raises(ClientError) as refused:
        getattr(asking, operation)(**parameters)
    error = refused.value.response["Error"]
    assert error["Code"] == "UnrecognizedClientException"
    assert STRANGER.access_key in error["Message"]
    assert 'eval "$(make -s env)"' in error["Message"]


@pytest.mark.parametrize(
    ("service", "answered"), [("s3", "NoSuchBucket"), ("cognito-idp", "not signed")]
)
def test_url_of_another_service(
    system: System, key: tuple[str, str], service: str, answered: str
) -> None:
    """A presigned URL is good for S3 alone, whatever service its path belongs to."""
    pool = Asked(f"{system.endpoint}/us-east-1_pool/.well-known/jwks.json")
    answer = pool.presigned(*key, service).send()
    assert answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    assert answered in answer.body


def test_presigned_url(system: System, key: tuple[str, str]) -> None:
    """A presigned URL gives its object to whoever has all of it, without a key."""
    s3 = boto3.client(
        "s3",
        endpoint_url=system.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        config=Config(signature_version="s3v4"),
    )
    where = {"Bucket": "presigned", "Key": "a folder/ü+&"}
    s3.create_bucket(Bucket="presigned")
    s3.put_object(**where, Body=b"object")
    url = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    got = Asked(url).send()
    assert (got.status, got.body) == (HTTPStatus.OK, "object")
    assert not [header for header in got.headers if header.startswith("access-control-")]
    for changed in (
        url.replace("Expires=60", "Expires=61"),
        url.replace("folder", "holder"),
        url.partition("&X-Amz-Signature")[0],
    ):
        assert Asked(changed).send().status == HTTPStatus.FORBIDDEN
    assert Asked(url).with_headers(Sec_Fetch_Site="none").send().status == HTTPStatus.FORBIDDEN
    gone = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=999_999_999)
    assert Asked(gone).send().status == HTTPStatus.FORBIDDEN
