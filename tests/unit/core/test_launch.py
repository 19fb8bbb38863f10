from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.capacity import LaunchCapacity
from core.correlation import Correlation, client_token
from core.flow import Flow
from core.launch import MAX_OVERRIDES, Launch, Variable, refused
from core.outcome import FailedToStart
from core.reported import TICKET_RESERVE
from core.trace import TRACE_RESERVE, TraceHeader
from tests.values import job, launch, place, record

PLACE, LAUNCH = place(), launch()
ARN = LAUNCH.execution_arn
EACH_FLOW = pytest.mark.parametrize("flow", Flow)


def environment(launch: Launch) -> dict[str, str]:
    """Return the variables that a launch gives to the main container."""
    [container] = launch.request(PLACE)["overrides"]["containerOverrides"]
    assert container["name"] == "worker"
    return {pair["name"]: pair["value"] for pair in container["environment"]}


def saying(text: str, flow: Flow = Flow.DYNAMODB) -> Launch:
    """Return a launch whose job says a text."""
    return replace(LAUNCH, flow=flow, job=job(environment={"TEXT": text}))


def size(launch: Launch) -> int:
    """Return how many characters a launch's overrides have."""
    longest = replace(launch, ticket=TICKET_RESERVE, trace=TRACE_RESERVE)
    return len(json.dumps(longest.request(PLACE)["overrides"]))


def test_request() -> None:
    """RunTask is asked for one tagged Fargate task of the family, with correlation and token."""
    request: dict[str, Any] = LAUNCH.request(PLACE)
    del request["overrides"]
    assert request == {
        "cluster": PLACE.cluster,
        "taskDefinition": "demo-worker",
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": "demo/one/1",
        "clientToken": client_token(ARN, 1, 1),
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": True,
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
        "PROCESSING_TIME": "0",
        "RECORD_TABLE": "demo-callbacks",
        "EXECUTION_TICKET": "0123",
        "RESULT_URI": f"s3://{PLACE.bucket}/results/one/1-0123/",
    }


def test_polling_container_knows_nothing() -> None:
    """The polling flow's container gets no table, no ticket and no prefix for results."""
    told = environment(replace(LAUNCH, flow=Flow.POLLING, ticket="0123"))
    assert not {"RECORD_TABLE", "EXECUTION_TICKET", "RESULT_URI"} & told.keys()


def test_no_ticket() -> None:
    """A launch whose record holds no ticket gives its container neither a ticket nor a prefix."""
    told = environment(replace(LAUNCH, flow=Flow.EVENTBRIDGE))
    assert not {"EXECUTION_TICKET", "RESULT_URI"} & told.keys()


@EACH_FLOW
def test_trace(flow: Flow) -> None:
    """The container is told the trace that its record holds, in each flow, if it holds one."""
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    asked = replace(LAUNCH, flow=flow)
    traced = asked.stored(record(flow=flow, trace_header=f"{header};Lineage=1:a87bd80c:0"))
    assert traced.trace == TraceHeader.parse(header)
    assert environment(traced)["_X_AMZN_TRACE_ID"] == header
    assert "_X_AMZN_TRACE_ID" not in environment(asked.stored(record(flow=flow)))


@EACH_FLOW
def test_environment_of_the_job(flow: Flow) -> None:
    """The container is told the job's variables, in each flow."""
    assert environment(saying("🚀", flow))["TEXT"] == "🚀"


@pytest.mark.parametrize("name", Variable)
def test_own_variables(name: Variable) -> None:
    """No variable that the request itself sets is the job's to set."""
    own = replace(
        LAUNCH,
        ticket="0123",
        trace=TRACE_RESERVE,
        job=job(input="1", input_uri="s3://b/k", environment={name.value: "forged"}),
    )
    assert environment(own)[name] != "forged"


def test_order_of_variables() -> None:
    """The request is the same in whatever order the job's variables come out of the table."""
    told = {"B": "2", "A": "1", "Z": "3"}
    one, other = (
        replace(LAUNCH, job=job(environment=dict(pairs)))
        for pairs in (told.items(), reversed(told.items()))
    )
    assert json.dumps(one.request(PLACE)) == json.dumps(other.request(PLACE))


@pytest.mark.parametrize(
    ("changes", "request_has", "container_has"),
    [
        ({}, {"launchType": "FARGATE"}, {}),
        ({"family": "demo-etl"}, {"launchType": "FARGATE", "taskDefinition": "demo-etl"}, {}),
        ({"container": "etl"}, {"launchType": "FARGATE"}, {"name": "etl"}),
        ({"command": ("a", "b")}, {"launchType": "FARGATE"}, {"command": ["a", "b"]}),
    ],
    ids=["none", "family", "container", "command"],
)
def test_job(
    changes: dict[str, Any], request_has: dict[str, Any], container_has: dict[str, Any]
) -> None:
    """RunTask gets the job's values; a value that the job lacks is the task definition's own."""
    asked = replace(LAUNCH, job=job(**changes)).request(PLACE)
    [container] = asked["overrides"].pop("containerOverrides")
    assert asked.pop("overrides") == {}
    kinds = {"launchType", "capacityProviderStrategy"}
    assert {name: asked[name] for name in kinds & asked.keys() | request_has.keys()} == request_has
    del container["environment"]
    assert container == {"name": "worker", **container_has}


@pytest.mark.parametrize(
    ("capacity", "asked"),
    [
        (LaunchCapacity.ON_DEMAND, {"launchType": "FARGATE"}),
        (
            LaunchCapacity.SPOT,
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]},
        ),
    ],
)
def test_capacity(capacity: LaunchCapacity, asked: dict[str, Any]) -> None:
    """A launch asks for Fargate, or by a capacity provider for Fargate Spot, never for both."""
    request = replace(LAUNCH, capacity=capacity).request(PLACE)
    kinds = {"launchType", "capacityProviderStrategy"}
    assert {name: request[name] for name in kinds & request.keys()} == asked


def test_stored_launch() -> None:
    """A launch that is tried again is the record's, in number, job, ticket and capacity."""
    ticket = "0" * 32
    held = record(launch=2, capacity=LaunchCapacity.SPOT, job=job(family="demo-x"), ticket=ticket)
    stored = LAUNCH.stored(held)
    assert stored == replace(
        LAUNCH, number=2, capacity=LaunchCapacity.SPOT, job=held.job, ticket=ticket
    )
    assert LAUNCH.stored(replace(held, capacity=None)).capacity is LAUNCH.capacity


@pytest.mark.parametrize(
    ("changes", "task", "container"),
    [
        ({"memory": (2_048,), "cpu": 512}, {"memory": "2048", "cpu": "512"}, {"memory": 2_048}),
        ({"memory": (1_024,)}, {"memory": "1024", "cpu": "256"}, {"memory": 1_024}),
        ({"memory": (8_192,)}, {"memory": "8192", "cpu": "1024"}, {"memory": 8_192}),
        ({"ephemeral_storage": 30}, {"ephemeralStorage": {"sizeInGiB": 30}}, {}),
    ],
)
def test_size(changes: dict[str, Any], task: dict[str, Any], container: dict[str, Any]) -> None:
    """A job's memory and CPU are its task's size; the memory is the main container's limit too."""
    overrides = replace(LAUNCH, job=job(**changes)).request(PLACE)["overrides"]
    [main] = overrides.pop("containerOverrides")
    assert overrides == task
    assert {name: main[name] for name in main if name not in {"name", "environment"}} == container


@pytest.mark.parametrize(("attempt", "size"), [(1, 2_048), (2, 4_096), (3, 16_384), (10, 16_384)])
def test_size_of_an_attempt(attempt: int, size: int) -> None:
    """Each attempt has its own memory, the last value for every later one, and its least CPU."""
    asked = launch(
        correlation=Correlation("demo", "one", attempt), job=job(memory=(2_048, 4_096, 16_384))
    )
    overrides = asked.request(PLACE)["overrides"]
    assert overrides["memory"] == str(size)
    assert overrides["containerOverrides"][0]["memory"] == size
    assert overrides["cpu"] == {2_048: "256", 4_096: "512", 16_384: "2048"}[size]


def test_tags() -> None:
    """A job's tags are the task's, in one order whatever the table's."""
    assert "tags" not in LAUNCH.request(PLACE)
    asked = launch(job=job(tags={"team": "data", "cost": ""})).request(PLACE)
    assert asked["tags"] == [{"key": "cost", "value": ""}, {"key": "team", "value": "data"}]


def test_revision() -> None:
    """A job that names a revision runs that one, any other the family's latest."""
    pinned = launch(job=job(family="demo-etl", revision=7)).request(PLACE)
    assert pinned["taskDefinition"] == "demo-etl:7"


def test_input() -> None:
    """A job's input reaches the container as its text, or by its address."""
    assert not {"INPUT", "INPUT_URI"} & environment(LAUNCH).keys()
    assert environment(launch(job=job(input='{"a":1}')))["INPUT"] == '{"a":1}'
    address = "s3://bucket/inputs/one/0123.json"
    told = environment(launch(job=job(input_uri=address, input_sha256="0123")))
    assert told["INPUT_URI"] == address
    assert "INPUT" not in told


def test_token() -> None:
    """Another execution, attempt or launch has another token; other work has not."""
    launches = [
        LAUNCH,
        replace(LAUNCH, execution_arn=f"{ARN}2"),
        replace(LAUNCH, correlation=Correlation("demo", "one", 2)),
        replace(LAUNCH, number=2),
    ]
    assert len({launch.token for launch in launches}) == len(launches)
    assert saying("other").token == LAUNCH.token


@EACH_FLOW
@pytest.mark.parametrize("character", ["x", '"', "é", "🚀", "\n"])
def test_excess(flow: Flow, character: str) -> None:
    """Overrides are too long by what they have beyond 8,192 characters, written as ASCII JSON."""
    width = len(json.dumps(character)) - 2
    room = MAX_OVERRIDES - size(saying("", flow))
    text = character * (room // width) + "x" * (room % width)
    assert size(saying(text, flow)) == MAX_OVERRIDES == 8_192
    longer = ("", text, text + "x", text + "x" * 99)
    excess = [saying(more, flow).excess(PLACE.table, PLACE.bucket, attempts=1) for more in longer]
    assert excess == [0, 0, 1, 99]


@pytest.mark.parametrize(("attempts", "excess"), [(1, 0), (2, 2), (9, 2), (10, 4)])
def test_excess_of_a_later_attempt(attempts: int, excess: int) -> None:
    """The longest request counts, whichever attempt has it: numbers grow, and so does memory."""
    empty = replace(LAUNCH, job=job(memory=(512, 1_024), environment={"TEXT": ""}))
    text = "x" * (MAX_OVERRIDES - size(empty))
    full = replace(empty, job=replace(empty.job, environment={"TEXT": text}))
    assert full.excess(PLACE.table, PLACE.bucket, attempts) == excess


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
    """`failures[]` without a task give a start that failed, with their reasons."""
    assert refused(failures) == FailedToStart(detail=detail, transient=transient)
