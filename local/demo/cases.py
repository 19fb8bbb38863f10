"""The demo's cases, and the result that each has to have."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from typing import TYPE_CHECKING, Any

from local.ecs.capacity import ON_DEMAND, SPOT

if TYPE_CHECKING:
    from collections.abc import Mapping


class Harm(Enum):
    """Harm from outside that comes to a worker once it works."""

    SIGKILL = "SIGKILL"
    INTERRUPTION = "Spot interruption"


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a task ends.

    Attributes:
        name: name for people.
        payload: payload of the durable function.
        outcome: kind of outcome expected.
        exit_code: exit code expected.
        harm: harm that comes to its workers; None for none. Workers on demand are not interrupted.
        capacities: the capacity of each attempt.
    """

    name: str
    payload: Mapping[str, Any]
    outcome: str
    exit_code: int
    harm: Harm | None = None
    capacities: tuple[str, ...] = (ON_DEMAND,)


@dataclass(frozen=True, slots=True)
class Flow:
    """One of the durable functions.

    Attributes:
        name: the flow's name.
        output: the stack's output that holds the function's ARN.
        waits: whether the execution waits for its task, and fails with it.
        settings: payload fields for this flow alone.
    """

    name: str
    output: str
    waits: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


_EVENTBRIDGE = Flow("eventbridge", "EventBridgeLambdaFunctionArn")
FLOWS = (
    # A fixed, short interval: the growing one is for minutes and hours.
    Flow("polling", "SyncLambdaFunctionArn", settings={"pollSeconds": 20}),
    Flow("dynamodb", "CallbackLambdaFunctionArn", waits=False),
    _EVENTBRIDGE,
)
CASES = (
    Case("succeeds", {"message": "Hello", "processingTime": 3}, "Succeeded", 0),
    Case(
        "exits with 3",
        {"message": "Fail", "processingTime": 1, "simulate": {"exitCode": 3}},
        "ApplicationFailed",
        3,
    ),
    Case(
        "is killed",
        {"message": "Die", "processingTime": 60},
        "ApplicationFailed",
        137,
        Harm.SIGKILL,
    ),
)
# One flow is enough: polling would show the same, and DynamoDB has one attempt.
_LEAVES_SPOT = Case(
    "leaves Spot",
    {"message": "Again", "processingTime": 5, "capacity": "SPOT_THEN_ON_DEMAND"},
    "Succeeded",
    0,
    Harm.INTERRUPTION,
    capacities=(SPOT, ON_DEMAND),
)
ROWS = (*product(FLOWS, CASES), (_EVENTBRIDGE, _LEAVES_SPOT))
