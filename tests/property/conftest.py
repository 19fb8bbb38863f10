"""Settings of the property-based tests, and one AWS account for all examples of a module."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

from tests.integration.aws import Aws, account, emptied

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long an example takes is the machine's affair; the rest stays as the profile has it (in CI
# Hypothesis draws the same examples each time).
settings.register_profile("patient", settings(), deadline=None)
# A trial of a mutation asks whether an example fails, and not for the smallest that does.
settings.register_profile(
    "unshrunk",
    settings.get_profile("patient"),
    phases=[phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}],
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """An account with the stack's tables and cluster."""
    with account(), emptied() as aws:
        yield aws
