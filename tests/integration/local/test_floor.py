from __future__ import annotations

import json

from bench import floor
from bench.measurement import apart
from bench.requests import MotoRequest, Requests
from local.stack.stack import PROJECT, Stack

STACK = Stack(PROJECT / "template.yaml", "http://127.0.0.1", {"WorkerImage": "local"})


def test_floor_makes_the_recorded_requests() -> None:
    """The bench's floor runs executions to their end, each with what was recorded of one."""
    table = STACK.outputs["CallbackTableName"]
    record = {"TableName": table, "Item": {"executionId": {"S": "e" * 36}}}
    new = json.dumps({**record, "ConditionExpression": "attribute_not_exists(executionId)"})
    own = MotoRequest("stack-eventbridge-function", "PutItem", new)
    other = MotoRequest("stack-task-state-function", "PutItem", new)
    recorded = [Requests((own, other), frozenset({"e" * 36}))]
    [measured] = apart(floor.run, recorded, [3])
    assert (measured.executions, measured.requests) == (3, 6)
    assert measured.rate > 0
