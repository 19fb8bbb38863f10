from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from core.flow import Flow
from core.payload import Payload, fields
from core.reading import InvalidRequestError, names
from orchestrator import dynamodb, eventbridge, polling
from tests.values import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

HANDLERS = {
    Flow.POLLING: polling.handler,
    Flow.DYNAMODB: dynamodb.handler,
    Flow.EVENTBRIDGE: eventbridge.handler,
}
# Of no use in any field but `input`, which takes any value.
WRONG: list[Any] = [True, -1, 0.5, 10**30, "a\0", "\ud800", [None], {"": 1}, {"a": []}, [[]]]
BAD: dict[str, list[Any]] = {
    "message": [None],
    "environment": [None, {"INPUT": "x"}, {"AWS_X": "x"}, {"A=": "x"}, {"A": "x\0"}],
    "memory": ["512", 0, [], 1_500, [512, 600], [512] * 11],
    "tags": [None, {"aws:a": "b"}, {"a": "b" * 257}, {f"k{n}": "" for n in range(41)}],
    "command": ["ls", [], [""]],
    "taskDefinition": ["", "other-family", "lambda-ecs-durable-demo-a:0"],
    "inputUri": ["", "s3://b", "https://bucket/key"],
    "retryOn": [None, ["Spot"], [222], [0]],
    "simulate": [{}, {"exitCode": 256}, {"exitCode": 222}, {"code": 1}],
}
HALF_A_CHARACTER: list[Any] = ["\ud800", {"a": ["\udfff"]}, float("nan"), [float("inf")]]


def bad(flow: Flow, count: int) -> list[dict[str, Any]]:
    """Return payloads, each with one field that is wrong among some that are right."""
    chance = random.Random(flow.value)  # noqa: S311 - a test's choice, the same each time
    right = {"timeoutSeconds": 600, "cpu": None, "environment": {"A": "1"}, "command": ["true"]}
    payloads = []
    for number in range(count):
        name = names(Payload)[number % len(names(Payload))]
        if name == "input":
            value = chance.choice(HALF_A_CHARACTER)
        else:
            value = chance.choice(WRONG + BAD.get(name, []))
        others = {key: right[key] for key in right if key != name and chance.random() < 0.5}
        payloads.append({**others, name: value})
    return payloads


@pytest.mark.parametrize("flow", Flow)
def test_300_bad_payloads(flow: Flow) -> None:
    """Each wrong field, among any others, is refused by name, with what came and what to send."""
    for payload in bad(flow, 300):
        *_, name = payload
        with pytest.raises(InvalidRequestError) as refused:
            parsed(payload, flow, stack="lambda-ecs-durable-demo")
        error = refused.value
        assert error.field.partition(".")[0] == name, payload
        assert error.value
        assert error.expected
        assert str(error).encode()


@pytest.mark.parametrize("flow", Flow)
def test_nothing_is_started(aws: Aws, durable: Start, flow: Flow) -> None:
    """A wrong field fails its execution before there is a record, an object or a task."""
    handler: Callable[..., Any] = HANDLERS[flow]
    run = partial(durable, handler)
    for payload in bad(flow, len(names(Payload))):
        *_, name = payload
        _, data = run(payload).error()
        assert data["field"].partition(".")[0] == name
    for name in set(names(Payload)) - set(fields(flow)):
        message, data = run({name: 300}).error()
        assert data["field"] == name
        assert ": only " in message
    assert not aws.items()
    assert not aws.tasks()
    assert "PutObject" not in aws.calls
