from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from local.gateway import Gateway
from local.inprocess import Transport
from local.journal import Journal

# No name of this kind is ever found.
ENDPOINT = "http://aws.invalid"


def ecs(session: boto3.Session) -> Any:
    """Return a client of a session."""
    secret = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    once = Config(retries={"total_max_attempts": 1})
    return session.client(
        "ecs", region_name="us-east-1", endpoint_url=ENDPOINT, config=once, **secret
    )


@pytest.fixture
def gateway() -> Gateway:
    """Return a gateway to a cluster without tasks."""
    gateway = Gateway(Journal().write)
    gateway.services["ecs"] = lambda *_: {"taskArns": []}
    return gateway


def test_one_sessions_clients(gateway: Gateway) -> None:
    """The clients of the transport's session reach the gateway without a socket, and no others."""
    transport = Transport()
    with transport.reaching(ENDPOINT, gateway):
        assert ecs(transport.session).list_tasks()["taskArns"] == []
        with pytest.raises(EndpointConnectionError):
            ecs(boto3.Session()).list_tasks()


def test_gateway_that_is_gone(gateway: Gateway) -> None:
    """A client that outlives its gateway does not reach it any more."""
    transport = Transport()
    with transport.reaching(ENDPOINT, gateway):
        client = ecs(transport.session)
    with pytest.raises(EndpointConnectionError):
        client.list_tasks()
