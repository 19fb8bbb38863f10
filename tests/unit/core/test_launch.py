from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.correlation import Correlation, client_token
from core.flow import Flow
from core.launch import MAX_OVERRIDES, Launch, Place, refused
from core.outcome import FailedToStart
from core.payload import InvalidRequestError, Simulation, Work

ARN = "arn:aws:lambda:us-east-1:123456789012:function:demo-sync-function:1/durable-execution/n/one"
PLACE = Place(
    cluster="arn:aws:ecs:us-east-1:123456789012:cluster/demo-cluster",
    family="demo-worker",
    container="worker",
    table="demo-callbacks",
    subnets=["subnet-1", "subnet-2"],
    security_groups=["sg-1"],
    public_ip="DISABLED",
)
WORK = Work(message="hi", processing_time=5, timeout_seconds=60)
LAUNCH = Launch(ARN, Correlation("demo", "one", 1), 1, Flow.DYNAMODB, WORK)
EACH_FLOW = pytest.mark.parametrize("flow", Flow)


def environment(launch: Launch) -> dict[str, str]:
    """Return the variables that a launch gives to the main container."""
    [container] = launch.request(PLACE)["overrides"]["containerOverrides"]
    assert container["name"] == "worker"
    return {pair["name"]: pair["value"] for pair in container["environment"]}


def with_message(message: str, flow: Flow = Flow.DYNAMODB) -> Launch:
    """Return a launch with a message."""
    return replace(LAUNCH, flow=flow, work=replace(WORK, message=message))


def size(launch: Launch) -> int:
    """Return how many characters a launch's overrides have."""
    return len(json.dumps(launch.request(PLACE)["overrides"]))


def test_request() -> None:
    """RunTask is asked for one Fargate task of the family, with correlation and token."""
    request: dict[str, Any] = LAUNCH.request(PLACE)
    del request["overrides"]
    assert request == {
        "cluster": PLACE.cluster,
        "taskDefinition": "demo-worker",
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": "demo/one/1",
        "clientToken": client_token(ARN, 1, 1),
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
    }


@pytest.mark.parametrize("flow", [Flow.DYNAMODB, Flow.EVENTBRIDGE])
def test_environment(flow: Flow) -> None:
    """The container is told its execution, its work, and the table and ticket to report with."""
    assert environment(replace(LAUNCH, flow=flow, ticket="0123")) == {
        "EXECUTION_ID": "one",
        "EXECUTION_FLOW": flow.value,
        "EXECUTION_ATTEMPT": "1",
        "MESSAGE": "hi",
        "PROCESSING_TIME": "5",
        "RECORD_TABLE": "demo-callbacks",
        "EXECUTION_TICKET": "0123",
    }


def test_polling_container_knows_nothing() -> None:
    """The polling flow's container is told of no table and has no ticket."""
    told = environment(replace(LAUNCH, flow=Flow.POLLING, ticket="0123"))
    assert not {"RECORD_TABLE", "EXECUTION_TICKET"} & told.keys()


def test_no_ticket() -> None:
    """A launch whose record holds no ticket tells its container of none."""
    assert "EXECUTION_TICKET" not in environment(replace(LAUNCH, flow=Flow.EVENTBRIDGE))


@EACH_FLOW
def test_simulation(flow: Flow) -> None:
    """A failure that was asked for reaches the container."""
    work = replace(WORK, simulate=Simulation(exit_code=3))
    variables = environment(replace(LAUNCH, flow=flow, work=work))
    assert json.loads(variables["SIMULATE"]) == {"exitCode": 3}


def test_token() -> None:
    """Another execution, attempt or launch has another token; other work has not."""
    launches = [
        LAUNCH,
        replace(LAUNCH, execution_arn=f"{ARN}2"),
        replace(LAUNCH, correlation=Correlation("demo", "one", 2)),
        replace(LAUNCH, number=2),
    ]
    assert len({launch.token for launch in launches}) == len(launches)
    assert with_message("other").token == LAUNCH.token


@EACH_FLOW
@pytest.mark.parametrize("character", ["x", '"', "é", "🚀", "\n"])
def test_largest_message(flow: Flow, character: str) -> None:
    """A message fits as long as the overrides, written as ASCII JSON, have 8,192 characters."""
    width = len(json.dumps(character)) - 2
    room = MAX_OVERRIDES - size(with_message("", flow))
    message = character * (room // width) + "x" * (room % width)
    assert size(with_message(message, flow)) == MAX_OVERRIDES == 8_192
    with pytest.raises(InvalidRequestError, match="message"):
        with_message(message + "x", flow).request(PLACE)


def test_too_large_message() -> None:
    """A message that is too large is refused with the length that would fit."""
    with pytest.raises(InvalidRequestError) as error:
        with_message("x" * 9_000).request(PLACE)
    assert error.value.field == "message"
    length = int(error.value.expected.removeprefix("at most ").partition(" ")[0])
    fitting = "x" * (length - len('""'))
    assert size(with_message(fitting)) == MAX_OVERRIDES


@pytest.mark.parametrize(
    ("failures", "detail", "transient"),
    [
        (
            [{"reason": "Capacity is unavailable at this time. Please try again later."}],
            "Capacity is unavailable at this time. Please try again later.",
            True,
        ),
        ([{"arn": "arn", "reason": "MISSING"}], "MISSING", False),
        ([{"reason": "AGENT", "detail": "i/o timeout"}], "AGENT: i/o timeout", True),
        ([{"reason": "A"}, {"reason": "B", "detail": "b"}, {}], "A; B: b", False),
        ([{"detail": "only a detail"}], "only a detail", False),
        ([{"arn": "arn"}], "RunTask returned neither a task nor a reason.", False),
        ([], "RunTask returned neither a task nor a reason.", False),
    ],
)
def test_refused(failures: list[dict[str, str]], detail: str, *, transient: bool) -> None:
    """`failures[]` without a task come to a start that failed, for their reasons."""
    assert refused(failures) == FailedToStart(detail=detail, transient=transient)
