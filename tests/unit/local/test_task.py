from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.clock import Clock, Ticks
from local.ecs.part import Part
from local.ecs.program import Program
from local.ecs.task import Task

if TYPE_CHECKING:
    from local.ecs.container import Container


@pytest.mark.parametrize("is_over", [True, False])
def test_image_that_is_gone(is_over: bool) -> None:
    """A worker that cannot be started is an error, but not once the whole system has ended."""

    def start() -> Container:
        if is_over:
            task.kill()
        raise FileNotFoundError("the image is gone")

    detail = {
        "taskArn": "arn:task",
        "containers": [{"name": "main"}],
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "version": 1,
    }
    program = Program(
        container="main",
        is_worker=True,
        entry_point=(),
        command=(),
        is_essential=True,
        grace=30,
        environment={},
    )
    task = Task(detail, Part(program, start), lambda _: None, Clock(10_000, Ticks()))
    if is_over:
        task.live()
        assert task.pid is None
    else:
        with pytest.raises(FileNotFoundError):
            task.live()
