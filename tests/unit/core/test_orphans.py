"""Orphans: tasks that run although no record waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.correlation import Correlation
from core.repair import is_orphan
from tests.unit.core.sights import OTHER, TASK, launching, running
from tests.values import job

if TYPE_CHECKING:
    from core.record import Record

CLOSED = {"is_open": False}
OURS = job().family


@pytest.mark.parametrize(
    ("found", "attempt", "family", "expected"),
    [
        pytest.param(running(), 1, OURS, False, id="its record follows it"),
        pytest.param(launching(), 1, OURS, False, id="its ARN is still to be stored"),
        pytest.param(running(**CLOSED), 1, OURS, True, id="its record is closed"),
        pytest.param(launching(**CLOSED), 1, OURS, True, id="closed without it"),
        pytest.param(running(attempt=2), 1, OURS, True, id="of an attempt that is over"),
        pytest.param(running(task_arn=OTHER), 1, OURS, True, id="a second task"),
        pytest.param(running(**CLOSED), 1, "forged", False, id="of a family that is not ours"),
        pytest.param(None, 1, OURS, False, id="of nobody's name"),
    ],
)
def test_orphan(found: Record | None, attempt: int, family: str, *, expected: bool) -> None:
    """A task is an orphan if its record is there, is of its family, and does not wait for it."""
    definition = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:7"
    task = {"taskArn": TASK, "taskDefinitionArn": definition}
    assert is_orphan(task, Correlation("demo", "one", attempt), found) is expected
