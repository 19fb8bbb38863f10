"""The grants of the template that no scenario uses, each with the reason why it stays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from local.iam.authority import Authority, Grant
from local.stack import Stack
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

_TRACED = "X-Ray is not there locally: in AWS, Lambda sends the function's trace with its role."
_PULLED = "No image is pulled locally: in AWS, Fargate pulls one of this account's with this role."
_FETCHED = "The local system runs src/worker/ as an image of one's own: nothing is fetched."

UNUSED: Mapping[Grant, str] = {
    **{
        Grant(f"{function}Role", f"xray:{action}", "*"): _TRACED
        for function in (
            "Sync",
            "Callback",
            "EventBridge",
            "TaskState",
            "ExecutionStatus",
            "Reconciler",
        )
        for action in ("PutTelemetryRecords", "PutTraceSegments")
    },
    **{
        Grant("TaskExecutionRole", f"ecr:{action}", "ecr:repository/*"): _PULLED
        for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
    },
    Grant("TaskExecutionRole", "ecr:GetAuthorizationToken", "*"): _PULLED,
    Grant("TaskRole", "lambda:GetLayerVersion", "lambda:layer:<stack>-worker:*"): _FETCHED,
}


@cache
def granted(image: str) -> frozenset[Grant]:
    """Return the grants of the template with a worker image; "" is the default."""
    return Authority(Stack(TEMPLATE, "http://127.0.0.1", {"WorkerImage": image})).grants


def wrong(used: AbstractSet[Grant]) -> Iterator[str]:
    """Yield what is wrong when only these grants were used of those of the local system.

    Args:
        used: in any scenario.
    """
    for grant in sorted(granted("local") - used - UNUSED.keys()):
        yield (
            f"no scenario uses the grant: {' '.join(grant)}\n"
            "  drop it from template.yaml, or argue it in tests/faults/grants.py"
        )
    for grant in sorted(UNUSED.keys() & used):
        yield (
            f"a scenario uses the grant: {' '.join(grant)}\n  drop it from tests/faults/grants.py"
        )
