from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.flow import Flow
from core.launch import Variable
from core.limits import CODE
from core.reading import InvalidRequestError
from tests.values import parsed

if TYPE_CHECKING:
    from core.job import Job

COMMAND = {"command": ["true"]}
EACH_FLOW = pytest.mark.parametrize("flow", Flow)


def taken(payload: dict[str, Any], flow: Flow = Flow.EVENTBRIDGE) -> Job:
    """Return the job of a payload that is accepted."""
    return parsed(payload, flow).job


def refusal(payload: dict[str, Any], flow: Flow = Flow.EVENTBRIDGE) -> InvalidRequestError:
    """Return why a payload is refused."""
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload, flow)
    return refused.value


@EACH_FLOW
def test_everything_about_the_job(flow: Flow) -> None:
    """Each field about what runs is in the job as it came, in each flow."""
    payload = {
        "taskDefinition": "demo-etl:7",
        "containerName": "etl",
        "command": ["python", "-m", "etl", ""],
        "environment": {"LEVEL": "debug", "EMPTY": "", "Ä-1.x": "é"},
        "cpu": 512,
        "memory": 2_048,
        "ephemeralStorageGiB": 50,
        "capacity": "SPOT",
        "tags": {"team": "data", "cost center": ""},
        "input": {"day": 1},
    }
    assert taken(payload, flow).to_dict() == {
        "family": "demo-etl",
        "container": "etl",
        "revision": 7,
        "command": ["python", "-m", "etl", ""],
        "environment": {"LEVEL": "debug", "EMPTY": "", "Ä-1.x": "é"},
        "memory": [2_048],
        "cpu": 512,
        "ephemeralStorageGiB": 50,
        "capacity": "SPOT",
        "tags": {"team": "data", "cost center": ""},
        "input": '{"day":1}',
    }


@pytest.mark.parametrize("name", ["demo-worker", "demo-a", f"demo-{'x' * 250}", "demo-a:1"])
def test_definition(name: str) -> None:
    """A family of the stack's is taken, with a revision or without one."""
    job = taken({"taskDefinition": name})
    assert name in (job.family, f"{job.family}:{job.revision}")


@pytest.mark.parametrize(
    "name",
    [
        *("", "demo", "other-worker", "Demo-worker", "demo_worker", "xdemo-worker", "demo-a:0"),
        *("demo-a:", "demo-a:latest", "demo-a:1:2", "demo-a b", "demo-a\n", "demo-a\0", "demo-ä"),
        *(f"demo-{'x' * 251}", "demo-a:1234567890"),
        "arn:aws:ecs:us-east-1:123456789012:task-definition/demo-a:1",
    ],
)
def test_no_definition(name: str) -> None:
    """A definition that is not of the stack's names is refused, with what these begin with."""
    error = refusal({"taskDefinition": name})
    assert error.field == "taskDefinition"
    assert "begins with demo-" in error.expected


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a\n", "x" * 256])
def test_no_container(name: str) -> None:
    """A container's name that ECS would not take is refused."""
    assert refusal({"containerName": name}).field == "containerName"


@pytest.mark.parametrize("command", [[], [""], ["", "a"], ["a\0"], ["a", 1], "a", {}, [["a"]]])
def test_no_command(command: object) -> None:
    """A command that nothing could run is refused."""
    error = refusal({"command": command})
    assert error.field == "command"
    assert "a list of text without NUL, whose first word is not empty" in error.expected


@EACH_FLOW
@pytest.mark.parametrize(
    "name", [*Variable, CODE, "AWS_REGION", "AWS_", "ECS_X", "_X_AMZN_TRACE_ID"]
)
def test_reserved_variable(name: str, flow: Flow) -> None:
    """A payload may not set a variable that the stack, ECS or the SDKs set, in any flow."""
    error = refusal({**COMMAND, "environment": {"A": "1", name: "forged"}}, flow)
    assert (error.field, error.value) == (f"environment.{name}", '"forged"')


@pytest.mark.parametrize("name", ["AWSX", "aws_region", "MY_ECS_X", "ECS", "EXECUTION", "INPUTS"])
def test_variable(name: str) -> None:
    """A variable whose name only resembles a reserved one is the caller's."""
    assert taken({**COMMAND, "environment": {name: "1"}}).environment == {name: "1"}


@pytest.mark.parametrize(
    ("payload", "is_taken"),
    [
        ({}, False),
        (COMMAND, True),
        ({"taskDefinition": "demo-etl"}, True),
        ({**COMMAND, "message": "hi"}, False),
    ],
)
def test_variable_of_the_demo(payload: dict[str, Any], is_taken: bool) -> None:
    """A variable that another field sets is refused, and taken where none does."""
    asked = {**payload, "environment": {"MESSAGE": "mine"}}
    if is_taken:
        assert taken(asked).environment == {"MESSAGE": "mine"}
    else:
        assert refusal(asked).field == "environment.MESSAGE"


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"": "x"}, 'environment.""'),
        ({"A=B": "x"}, "environment.A=B"),
        ({"A\0": "x"}, r"environment.A\u0000"),
        ({"A": "x\0"}, "environment.A"),
        ({"A": 1}, "environment.A"),
        ({"B": "x", "A": None}, "environment.A"),
        ([], "environment"),
        ("A=1", "environment"),
        (None, "environment"),
        ({"\ud800": "x"}, "environment"),
        ({"A": "\ud800"}, "environment"),
    ],
)
def test_no_variable(variables: object, field: str) -> None:
    """A variable that no process can have is refused."""
    assert refusal({**COMMAND, "environment": variables}).field == field


def test_shorthand_with_a_command() -> None:
    """A payload with a command or definition sets the demo's variables only for given fields."""
    assert taken(COMMAND).environment == {}
    assert taken({"taskDefinition": "demo-etl"}).environment == {}
    given = {**COMMAND, "message": "hi", "processingTime": 7, "simulate": {"exitCode": 3}}
    assert taken(given).environment == {
        "MESSAGE": "hi",
        "PROCESSING_TIME": "7",
        "SIMULATE": '{"exitCode": 3}',
    }
    parsed({**COMMAND, "timeoutSeconds": 1}, Flow.EVENTBRIDGE)
    late = refusal({**COMMAND, "timeoutSeconds": 1, "processingTime": 2})
    assert late.field == "processingTime"


def test_timeout_below_the_demos_time() -> None:
    """A timeout too short for the demo's default is refused by the name that the payload has."""
    late = refusal({"timeoutSeconds": 4})
    assert (late.field, late.value) == ("timeoutSeconds", "4")
    assert late.expected == "at least 5 s, which processingTime has by default"
    parsed({"timeoutSeconds": 5}, Flow.EVENTBRIDGE)


@pytest.mark.parametrize(
    "tags",
    [
        {"a": "b"},
        {"k" * 128: "v" * 256},
        {"Ä 1_.:/=+-@": "é2"},
        {"myaws:x": "x aws:"},
        {f"k{n}": "" for n in range(40)},
    ],
    ids=len,
)
def test_tags(tags: dict[str, str]) -> None:
    """Tags within ECS's bounds are taken."""
    assert taken({"tags": tags}).tags == tags


@pytest.mark.parametrize(
    ("tags", "field"),
    [
        ({"": "x"}, 'tags.""'),
        ({"aws:x": "x"}, "tags.aws:x"),
        ({"AWS:x": "x"}, "tags.AWS:x"),
        ({"x": "Aws:y"}, "tags.x"),
        ({"a;b": "x"}, "tags.a;b"),
        ({"a": "b,c"}, "tags.a"),
        ({"a": "\0"}, "tags.a"),
        ({"a": "🚀"}, "tags.a"),
        ({"a": "v" * 257}, "tags.a"),
        ({"k" * 129: "x"}, f"tags.{'k' * 129}"),
        ({f"k{n}": "" for n in range(41)}, "tags"),
        ({"a": 1}, "tags.a"),
        ([{"key": "a", "value": "b"}], "tags"),
        (None, "tags"),
    ],
    ids=lambda part: str(part)[:30],
)
def test_no_tags(tags: object, field: str) -> None:
    """Tags that ECS would refuse are refused by their key."""
    assert refusal({"tags": tags}).field == field


@EACH_FLOW
@pytest.mark.parametrize(
    ("size", "stored"),
    [
        ({"memory": 512}, ((512,), None)),
        ({"memory": [4_096]}, ((4_096,), None)),
        ({"memory": 8_192, "cpu": 4_096}, ((8_192,), 4_096)),
        ({"memory": 122_880, "cpu": 16_384}, ((122_880,), 16_384)),
        ({}, ((), None)),
        ({"memory": None, "cpu": None}, ((), None)),
    ],
)
def test_size(size: dict[str, Any], stored: object, flow: Flow) -> None:
    """A size that Fargate has is the job's; CPU that is not given is the least at each launch."""
    job = taken(size, flow)
    assert (job.memory, job.cpu) == stored


@pytest.mark.parametrize(
    ("size", "field", "words"),
    [
        ({"memory": 1_000}, "memory", "512 MiB with cpu 256 or 1024 MiB with cpu 256"),
        ({"memory": 0}, "memory", "MiB >= 1, or a list"),
        ({"memory": []}, "memory", "a list of 1 to 10"),
        ({"memory": [512] * 11}, "memory", "a list of 1 to 10"),
        ({"memory": "512"}, "memory", "MiB >= 1"),
        ({"memory": 512.0}, "memory", "MiB >= 1"),
        ({"memory": True}, "memory", "MiB >= 1"),
        ({"memory": [512, None]}, "memory", "MiB >= 1"),
        ({"memory": 10**30}, "memory", "122880 MiB with cpu 16384"),
        ({"memory": 10**400}, "memory", "122880 MiB with cpu 16384"),
        ({"cpu": 512}, "cpu", "memory beside it, for Fargate has it with 1024 to 4096 MiB"),
        ({"cpu": 300}, "cpu", "one of 256, 512, 1024"),
        ({"cpu": 0, "memory": 512}, "cpu", "one of 256"),
        ({"cpu": "256", "memory": 512}, "cpu", "a whole number"),
        ({"cpu": 256, "memory": 4_096}, "memory", "2048 MiB with cpu 256 or"),
        ({"memory": [512, 1_024, 1_500]}, "memory", "in attempt 3, instead of 1500 MiB"),
        ({"memory": [512, 4_096], "cpu": 256}, "memory", "in attempt 2, instead of 4096 MiB"),
        ({"memory": [512] * 4}, "memory", "at most 3 values, one an attempt"),
        ({"memory": [512, 1_024], "maxAttempts": 1}, "memory", "at most 1 value, one an attempt"),
    ],
)
def test_no_size(size: dict[str, Any], field: str, words: str) -> None:
    """A size that Fargate lacks is refused for its attempt, with those that come nearest."""
    error = refusal(size)
    assert error.field == field
    assert words in error.expected


def test_memory_by_attempt_elsewhere() -> None:
    """The DynamoDB flow, which has one attempt, takes one amount of memory."""
    error = refusal({"memory": [512, 1_024]}, Flow.DYNAMODB)
    assert (error.field, error.value) == ("memory", "[512, 1024]")
    assert "this flow has one attempt" in error.expected


def test_heartbeat() -> None:
    """A worker that has a record may be asked for a heartbeat; polling says that its has none."""
    for flow in (Flow.DYNAMODB, Flow.EVENTBRIDGE):
        assert parsed({"heartbeatSeconds": 300}, flow).heartbeat_seconds == 300
        assert refusal({"heartbeatSeconds": 299}, flow).expected == "a whole number >= 300"
        late = refusal({"heartbeatSeconds": 601, "timeoutSeconds": 600}, flow)
        assert (late.field, late.expected) == ("heartbeatSeconds", "at most timeoutSeconds (600 s)")
    error = refusal({"heartbeatSeconds": 300}, Flow.POLLING)
    assert error.field == "heartbeatSeconds"
    assert error.expected == (
        "no such field here: only the DynamoDB and the EventBridge flow take it"
    )


@pytest.mark.parametrize("storage", [20, 201, 0, -1, "50", 50.0, True])
def test_no_disk(storage: object) -> None:
    """A disk that Fargate lacks is refused."""
    assert refusal({"ephemeralStorageGiB": storage}).field == "ephemeralStorageGiB"


@pytest.mark.parametrize("capacity", ["spot", "", None, 1, ["SPOT"]])
def test_no_capacity(capacity: object) -> None:
    """A kind of capacity that there is not is refused with those that there are."""
    error = refusal({"capacity": capacity})
    assert error.field == "capacity"
    assert "ON_DEMAND, SPOT" in error.expected
