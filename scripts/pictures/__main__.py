"""`make pictures`: run one execution on the local system, and draw its trace."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from local.ecs.capacity import SPOT
from local.stack.stack import PROJECT
from local.system import System
from scripts.pictures.trace import drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.ecs.task import Task

T = TypeVar("T")

_PICTURE = PROJECT / "docs" / "img" / "trace.svg"
# Longer than Fargate's phases, a Spot interruption and a back-off take at AWS's own pace.
_PATIENCE = 600
_WORKED = 8
_PAYLOAD = {"message": "Hello", "processingTime": 20, "capacity": "SPOT_THEN_ON_DEMAND"}
_INTERRUPTIBLE = {"capacityProviderName": SPOT, "lastStatus": "RUNNING", "desiredStatus": "RUNNING"}


def main() -> int:
    """Draw the trace of an execution whose first task Spot takes away; return 0."""
    with System() as system:
        sys.stdout.write("An execution runs at AWS's own pace: some three minutes.\n")
        _PICTURE.write_text(drawn(_traced(system), system.stack.name))
    sys.stdout.write(f"{_PICTURE.relative_to(PROJECT)} is drawn.\n")
    return 0


def _traced(system: System) -> list[dict[str, Any]]:
    """Return the segments of an execution's trace once it is over."""
    client = system.account.client
    function = system.stack.outputs["EventBridgeLambdaFunctionArn"]
    answer = client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(_PAYLOAD)
    )
    execution_id = answer["DurableExecutionArn"].rpartition("/")[2]

    def working() -> Task | None:
        return next((task for task in system.tasks.all() if task.shows(_INTERRUPTIBLE)), None)

    interrupted = _wait(system, working)
    # A visible bar takes some seconds.
    system.clock.sleep(_WORKED)
    interrupted.interrupt()
    _wait(system, lambda: system.is_idle and _is_closed(system, execution_id))
    record = _record(system, execution_id)
    header = dict(part.split("=") for part in record["traceHeader"].split(";"))
    [trace] = client("xray").batch_get_traces(TraceIds=[header["Root"]])["Traces"]
    return [json.loads(segment["Document"]) for segment in trace["Segments"]]


def _wait(system: System, condition: Callable[[], T | None]) -> T:
    found = system.journal.wait_for(condition, _PATIENCE)
    if not found:
        raise TimeoutError(f"The execution is not over after {_PATIENCE} s")
    return found


def _is_closed(system: System, execution_id: str) -> bool:
    record = _record(system, execution_id)
    return bool(record) and "open" not in record


def _record(system: System, execution_id: str) -> dict[str, Any]:
    table = system.account.table(system.stack.outputs["CallbackTableName"])
    answer: dict[str, Any] = table.get_item(Key={"executionId": execution_id})
    return dict(answer.get("Item", {}))


if __name__ == "__main__":
    sys.exit(main())
