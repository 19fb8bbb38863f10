from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests import template
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.template import Stack


@pytest.fixture(scope="session", params=["as it is", "with a function beside the others"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, and a copy to which somebody has added a durable function of her own."""
    if request.param == "as it is":
        return TEMPLATE
    copied = tmp_path_factory.mktemp("own") / "template.yaml"
    own = template.with_own_function("tests.integration.test_own_steps.handler")
    copied.write_text(json.dumps(own))
    return copied


@pytest.fixture(scope="session")
def source(written: Path) -> dict[str, Any]:
    """The template as it is written."""
    return template.source(written)


@pytest.fixture(scope="session")
def deploy(written: Path) -> Callable[..., Stack]:
    """A call that makes a stack, of a name and parameters."""
    return partial(template.stack, path=written)


@pytest.fixture(scope="session")
def stack(deploy: Callable[..., Stack]) -> Stack:
    """The stack that the defaults make."""
    return deploy()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Leave the process without a Region, credentials and configuration."""
    for name in (name for name in os.environ if name.startswith("AWS_")):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    return monkeypatch
