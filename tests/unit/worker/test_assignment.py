from __future__ import annotations

import pytest

from core.data import result_prefix
from core.flow import Flow
from core.payload import Payload
from tests.values import launch, parsed, place
from worker.assignment import Assignment

ENVIRONMENT = {
    "EXECUTION_ID": "one",
    "EXECUTION_FLOW": "eventbridge",
    "EXECUTION_ATTEMPT": "2",
}


def test_read() -> None:
    """An assignment is what the environment says, or else what a payload without fields means.

    There is no table, no input, no place for results and no failure unless it says so.
    """
    defaults = Payload().shorthand
    assert Assignment.read(ENVIRONMENT) == Assignment(
        execution_id="one",
        flow="eventbridge",
        attempt=2,
        message=defaults["MESSAGE"],
        processing_time=int(defaults["PROCESSING_TIME"]),
        record_table=None,
        ticket=None,
        exit_code=0,
        input_text=None,
        input_uri=None,
        result_uri=None,
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("null", None),
        ("0", 0),
        ('{"a": ["\\ud83d\\ude80"]}', {"a": ["🚀"]}),
        ('""', ""),
    ],
)
def test_input(text: str | None, value: object) -> None:
    """The input is parsed; without one it is None."""
    told = {} if text is None else {"INPUT": text}
    assert Assignment.read(ENVIRONMENT | told).input == value


def test_input_that_is_no_json() -> None:
    """An input that is no JSON is an error of the work that asks for it, and of no other."""
    assignment = Assignment.read(ENVIRONMENT | {"INPUT": "{"})
    with pytest.raises(ValueError, match="Expecting"):
        _ = assignment.input


@pytest.mark.parametrize("flow", Flow)
@pytest.mark.parametrize("simulate", [None, {"exitCode": 3}], ids=["works", "fails"])
def test_launch_is_understood(flow: Flow, simulate: object) -> None:
    """The worker reads from its environment what a launch writes there."""
    payload = {"message": "Größe 🚀", "processingTime": 7, "simulate": simulate}
    asked = launch(flow=flow, job=parsed(payload, flow).job, ticket="0123")
    [container] = asked.request(place())["overrides"]["containerOverrides"]
    assignment = Assignment.read({pair["name"]: pair["value"] for pair in container["environment"]})
    results = result_prefix(place().bucket, "one", 1, "0123")
    assert assignment == Assignment(
        execution_id="one",
        flow=flow.value,
        attempt=1,
        message="Größe 🚀",
        processing_time=7,
        record_table="demo-callbacks" if flow.takes_result else None,
        ticket="0123" if flow.takes_result else None,
        exit_code=3 if simulate else 0,
        result_uri=results if flow.takes_result else None,
    )


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_missing_variable(name: str) -> None:
    """A variable that is missing is named."""
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(KeyError, match=name):
        Assignment.read(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXECUTION_ATTEMPT", "first"),
        ("PROCESSING_TIME", "5.5"),
        ("PROCESSING_TIME", ""),
        ("SIMULATE", "exit 3"),
        ("SIMULATE", '{"exitCode": "three"}'),
    ],
)
def test_malformed_variable(name: str, value: str) -> None:
    """A variable that cannot be read is an error, not a guess."""
    with pytest.raises(ValueError, match=r".+"):
        Assignment.read(ENVIRONMENT | {name: value})


@pytest.mark.parametrize(
    ("flow", "tells"), [(Flow.DYNAMODB, True), (Flow.EVENTBRIDGE, False), (Flow.POLLING, False)]
)
def test_tells_end(flow: Flow, *, tells: bool) -> None:
    """The record's status is the worker's to write where nobody waits for the task."""
    told = {"EXECUTION_FLOW": flow.value, "RECORD_TABLE": "t", "EXECUTION_TICKET": "0123"}
    assert Assignment.read(ENVIRONMENT | told).tells_end is tells


@pytest.mark.parametrize("missing", ["RECORD_TABLE", "EXECUTION_TICKET"])
def test_nothing_to_write_to(missing: str) -> None:
    """Without a table or a ticket the worker has no record to write to, in any flow."""
    told = {"EXECUTION_FLOW": "dynamodb", "RECORD_TABLE": "t", "EXECUTION_TICKET": "0123"}
    del told[missing]
    assignment = Assignment.read(ENVIRONMENT | told)
    assert not assignment.tells_result
    assert not assignment.tells_end


@pytest.mark.parametrize(
    ("told", "tells"),
    [
        ({"RECORD_TABLE": "t", "EXECUTION_TICKET": "0123"}, True),
        ({"RECORD_TABLE": "t"}, False),
        ({"EXECUTION_TICKET": "0123"}, False),
        ({}, False),
    ],
    ids=["both", "no ticket", "no table", "neither"],
)
def test_flow_of_another_version(told: dict[str, str], *, tells: bool) -> None:
    """A worker of one version in a flow of another writes a result where it can, and no status."""
    later = {"EXECUTION_FLOW": "workflow", "RESULT_URI": "s3://bucket/key/", **told}
    assignment = Assignment.read(ENVIRONMENT | later)
    assert assignment.flow == "workflow"
    assert (assignment.tells_result, assignment.tells_end) == (tells, False)
