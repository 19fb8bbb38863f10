"""Ended tasks, as far as their end is told: what events and DescribeTasks have in common."""

from __future__ import annotations

from typing import Any

WORKER = "worker"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
TASK_ARN = "arn:aws:ecs:us-east-1:123456789012:task/demo-cluster/0f9de17a6465404e8b1b2356dc13c2f8"


def container(exit_code: int | None = 0, **changes: Any) -> dict[str, Any]:
    """Return the main container; None leaves a field out, as ECS does."""
    return _present({"name": WORKER, "lastStatus": "STOPPED", "exitCode": exit_code, **changes})


def stopped(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a STOPPED task whose containers have ended; None leaves a field out."""
    return _present(
        {
            "taskArn": TASK_ARN,
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": list(containers),
            **changes,
        }
    )


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
