from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.preflight.plan import plan
from tests.template import ACCOUNT, REGION

if TYPE_CHECKING:
    from scripts.preflight.facts import Plan


@pytest.fixture(autouse=True)
def _nobody(nobody: pytest.MonkeyPatch) -> None:
    """Ask as nobody in particular."""


@pytest.fixture(scope="session")
def planned() -> Plan:
    """The plan of template.yaml under the name `demo`."""
    return plan("demo", REGION, ACCOUNT)
