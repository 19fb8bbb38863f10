"""One account for the tests of a module, swept between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from adapters import clients, settings
from ecs_events import reconciliation, task_state
from tests.integration.aws import ENVIRONMENT, REGION, Aws
from tests.integration.repairs.executions import Executions
from tests.integration.repairs.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    """An account with the stack's cluster, task definition and tables."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        clients.client.cache_clear()
        Aws.create()
        yield


@pytest.fixture
def aws(account: None) -> Aws:  # noqa: ARG001 - what it looks at
    """The account without records and tasks, and new clients, at which no hook is left."""
    for cached in (clients.client, settings.read, task_state._once):  # noqa: SLF001 - a new account, new clients
        cached.cache_clear()
    aws = Aws()
    aws.forget()
    for table in ("TABLE_NAME", "IDEMPOTENCY_TABLE"):
        dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[ENVIRONMENT[table]].items.clear()
    for service in ("ecs", "dynamodb"):
        events = clients.client(service).meta.events
        events.register("provide-client-params", aws._asked)  # noqa: SLF001 - as `create` does
        events.register("after-call", aws._answered)  # noqa: SLF001 - its own count of calls
    return aws


@pytest.fixture
def executions(aws: Aws) -> Executions:  # noqa: ARG001 - the clients' account
    """The durable executions of the scene's records, as Lambda tells of them."""
    executions = Executions()
    executions.install()
    return executions


@pytest.fixture
def scene(aws: Aws, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Records and tasks as a test wants to find them."""
    monkeypatch.setattr(reconciliation, "_PAUSE_SECONDS", 0)
    if "durable" not in request.fixturenames:
        request.getfixturevalue("executions")
    scene = Scene(aws)
    scene.install()
    return scene
