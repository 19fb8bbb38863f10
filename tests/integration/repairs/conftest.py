"""Records and tasks as tests of repairs want to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ecs_events import tally
from tests.integration.repairs.executions import Executions
from tests.integration.repairs.scene import Scene

if TYPE_CHECKING:
    from tests.integration.aws import Aws


@pytest.fixture
def executions(aws: Aws) -> Executions:
    """The durable executions of the scene's records, as Lambda tells of them."""
    executions = Executions()
    aws.answer("lambda", executions.answered)
    return executions


@pytest.fixture
def scene(aws: Aws, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Records and tasks as a test wants to find them."""
    monkeypatch.setattr(tally, "_PAUSE_SECONDS", 0)
    if "durable" not in request.fixturenames:
        request.getfixturevalue("executions")
    return Scene(aws, monkeypatch)
