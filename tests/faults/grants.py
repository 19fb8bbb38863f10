"""The grants of the template that no scenario is sure to use, each with why it stays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from local.iam.authority import Authority, Grant
from local.stack import Stack
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

_ORCHESTRATORS = ("Sync", "Callback", "EventBridge")
_FUNCTIONS = (*_ORCHESTRATORS, "TaskState", "ExecutionStatus", "Reconciler")
_TASKS, _EVENTS = "ecs:task/<stack>-cluster/*", "dynamodb:table/<stack>-idempotency"
# The local system draws a bucket's name from the stack's and its own.
_RESULTS = "s3:<stack>-databucket-89adb4ab5752/results/*"

_COUNTED = "In AWS, X-Ray's daemon tells its own counts with the function's role. Here it has none."
_PULLED = "No image is pulled locally. In AWS, Fargate pulls one of this account's with this role."
_GUARDED = "No agent of GuardDuty's is here. In AWS, Fargate pulls it with this role."
_FETCHED = "Locally the worker is an image of one's own, so that nothing is fetched."
_READ_ON = (
    "An execution's state is read on where it does not fit into one event: none here is so long."
)
_LOOKED_FOR = (
    "An orchestrator looks for a task that it may have started where it was cut off for longer "
    "than ECS keeps the launch's token, and nobody has settled its record meanwhile."
)
_STOPPED = (
    "An orchestrator stops a task that is too late, or whose record was closed during its launch: "
    "no work here has a limit of its own, and who is faster decides about the other."
)
_TOLD = (
    "The status function asks what a failed execution has told where this could not close its "
    "record: only a throttle that outlasts every retry comes to that."
)
_REPEATED = (
    "Powertools documents it as needed: it reads a record of which a refused write has not told."
)
_PASSED = (
    "No task definition of one's own is here. tests/integration/local/test_definitions.py runs one "
    "whose role lies below this path."
)
_FILED = (
    "No worker here reads what it has put. One of a user's own may, and knows its own prefix alone."
)
_KEPT = (
    "Every function here takes its events. tests/integration/local/test_iam.py has a rule whose "
    "event is kept."
)

# Some of them are used by chance.
ARGUED: Mapping[Grant, str] = {
    **{Grant(f"{name}Role", "xray:PutTelemetryRecords", "*"): _COUNTED for name in _FUNCTIONS},
    **{
        Grant("TaskExecutionRole", f"ecr:{action}", f"ecr:repository/{repository}"): why
        for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        for repository, why in (("*", _PULLED), ("aws-guardduty-agent-fargate", _GUARDED))
    },
    Grant("TaskExecutionRole", "ecr:GetAuthorizationToken", "*"): _PULLED,
    Grant("TaskRole", "lambda:GetLayerVersion", "lambda:layer:<stack>-worker:*"): _FETCHED,
    **{
        Grant(
            f"{name}Role",
            "lambda:GetDurableExecutionState",
            f"lambda:function:<stack>-{name.lower()}-function:*",
        ): _READ_ON
        for name in _ORCHESTRATORS
    },
    **{Grant(f"{name}Role", "ecs:ListTasks", "*"): _LOOKED_FOR for name in _ORCHESTRATORS},
    Grant("CallbackRole", "ecs:DescribeTasks", _TASKS): _LOOKED_FOR,
    Grant("EventBridgeRole", "ecs:DescribeTasks", _TASKS): _STOPPED,
    **{Grant(f"{name}Role", "ecs:StopTask", _TASKS): _STOPPED for name in _ORCHESTRATORS},
    **{
        Grant(
            "ExecutionStatusRole",
            "lambda:GetDurableExecution",
            f"lambda:function:<stack>-{name.lower()}-function:*",
        ): _TOLD
        for name in _ORCHESTRATORS
    },
    **{
        Grant(f"{name}Role", "iam:PassRole", "iam:role/<stack>/*"): _PASSED
        for name in _ORCHESTRATORS
    },
    Grant("TaskRole", "s3:GetObject", _RESULTS): _FILED,
    Grant("TaskStateRole", "dynamodb:GetItem", _EVENTS): _REPEATED,
    Grant(
        "UndeliveredEventsQueuePolicy", "sqs:SendMessage", "sqs:<stack>-undelivered-events"
    ): _KEPT,
}


@cache
def granted(image: str) -> frozenset[Grant]:
    """Return the grants of the template with a worker image; "" is the default."""
    return Authority(Stack(TEMPLATE, "http://127.0.0.1", {"WorkerImage": image})).grants


def wrong(used: AbstractSet[Grant]) -> Iterator[str]:
    """Yield each grant of the local system that was not used, and that nobody has argued."""
    for grant in sorted(granted("local") - used - ARGUED.keys()):
        yield (
            f"no scenario uses the grant: {' '.join(grant)}\n"
            "  drop it from template.yaml, or argue it in tests/faults/grants.py"
        )
