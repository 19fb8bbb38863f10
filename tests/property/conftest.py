"""Settings of the property-based tests, and one AWS account for all examples of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.integration.aws import Aws, account, emptied

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long an example takes is the machine's affair; the rest stays as the profile has it (in CI
# Hypothesis draws the same examples each time).
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """An account with the stack's tables and cluster."""
    with account(), emptied() as aws:
        yield aws
