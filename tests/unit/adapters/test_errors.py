from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from adapters.errors import AwsBusyError, AwsRefusedError, aws_errors

NOWHERE = {"endpoint_url": "https://127.0.0.1", "error": "no route"}


def refused(code: str, message: str = "no", status: int = 400) -> ClientError:
    """AWS's answer to a call that it did not serve."""
    response = {"Error": {"Code": code, "Message": message}}
    return ClientError(response | {"ResponseMetadata": {"HTTPStatusCode": status}}, "RunTask")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ConnectTimeoutError(**NOWHERE),
        exceptions.EndpointConnectionError(**NOWHERE),
        exceptions.SSLError(**NOWHERE),
        exceptions.ProxyConnectionError(proxy_url="https://127.0.0.1", error="no"),
        exceptions.ReadTimeoutError(**NOWHERE),
        exceptions.ConnectionClosedError(**NOWHERE),
        exceptions.ResponseStreamingError(error="cut"),
        refused("ThrottlingException"),
        refused("RequestThrottledException"),
        refused("InternalServerError", status=500),
        refused("Whatever", status=503),
        refused("Whatever", status=429),
        refused("InvalidParameterException", "Throttling at the service behind it"),
        refused("InvalidParameterException", "Request limit exceeded. (RequestLimitExceeded)"),
    ],
    ids=lambda error: f"{type(error).__name__}: {error}"[-60:],
)
def test_may_pass(error: Exception) -> None:
    """No connection, no answer, a throttle and a server's fault are worth another try."""
    with pytest.raises(AwsBusyError) as raised, aws_errors():
        raise error
    assert str(error) in str(raised.value)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InvalidParameterException", "ClusterNotFoundException"]
)
def test_would_come_again(code: str) -> None:
    """A refusal because of the request does not pass, and keeps AWS's code."""
    with pytest.raises(AwsRefusedError, match=code) as raised, aws_errors():
        raise refused(code)
    assert raised.value.code == code


def test_conflict_names_the_task() -> None:
    """A conflict of client tokens names the task that the token has started."""
    error = refused("ConflictException")
    error.response["resourceIds"] = ["arn:task"]
    with pytest.raises(AwsRefusedError) as raised, aws_errors():
        raise error
    assert raised.value.resource_ids == ["arn:task"]


def test_nobody_elses() -> None:
    """An error that is not AWS's stays as it is."""
    with pytest.raises(KeyError), aws_errors():
        raise KeyError("ours")
