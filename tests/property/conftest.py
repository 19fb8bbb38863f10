"""Settings of the property-based tests, and one AWS account for all examples of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from moto import mock_aws

from adapters import clients
from adapters.settings import read
from ecs_events import task_state
from tests.integration.aws import ENVIRONMENT, Aws
from worker import report

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long an example takes is the machine's affair; the rest stays as the profile has it (in CI
# Hypothesis draws the same examples each time).
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """An account with the stack's cluster, task definition and tables."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        for cached in (clients.client, read, task_state._once, report._table):  # noqa: SLF001 - a new account, new clients
            cached.cache_clear()
        yield Aws.create()
