from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.system import System
from tests.e2e.user import User
from tests.integration.local.shapes import conforming

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """The local system, with all of AWS's waits a hundred times as fast."""
    with System(time_scale=100) as running:
        yield running


@pytest.fixture(scope="package")
def user(system: System) -> User:
    """A user with the AWS SDK, who checks each answer against AWS's models."""
    for service in ("ecs", "lambda"):
        conforming(system.account.client(service))
    # The rest of EventBridge is moto's.
    conforming(system.account.client("events"), "PutEvents")
    return User(system)
