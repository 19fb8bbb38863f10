from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from scripts.preflight.plan import plan
from tests.template import ACCOUNT, REGION

if TYPE_CHECKING:
    from scripts.preflight.facts import Plan


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the process without a Region, credentials and configuration."""
    for name in (name for name in os.environ if name.startswith("AWS_")):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def planned() -> Plan:
    """What template.yaml would make under the name `demo`."""
    return plan("demo", REGION, ACCOUNT)
