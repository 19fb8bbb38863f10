from __future__ import annotations

import json
import re
from typing import Any

import pytest

from core.flow import Flow
from core.payload import check_length
from core.reading import InvalidRequestError
from core.retry import ONCE, Policy
from core.work import Work
from tests.values import job, parsed

EXECUTION_TIMEOUT = 86_400
EACH_FLOW = pytest.mark.parametrize("flow", Flow)
WAITING = pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])


def refusal(payload: object, flow: Flow = Flow.EVENTBRIDGE) -> InvalidRequestError:
    """Return why a payload is refused."""
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload, flow, EXECUTION_TIMEOUT)
    return refused.value


@EACH_FLOW
def test_deepest_value(flow: Flow) -> None:
    """A value of any depth is refused by its field's name."""
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]
    refused = refusal({"message": value}, flow)
    assert (refused.field, refused.expected) == ("message", "text")
    assert "nested too deeply" in refused.value


@EACH_FLOW
def test_defaults(flow: Flow) -> None:
    """An empty payload is the pattern's, with three equal tries where the execution waits."""
    once = flow is Flow.DYNAMODB
    assert parsed({}, flow, EXECUTION_TIMEOUT) == Work(
        job(environment={"MESSAGE": "No message provided", "PROCESSING_TIME": "5"}),
        timeout_seconds=86_100 if once else 28_590,
        start_timeout_seconds=1_800,
        heartbeat_seconds=None,
        poll_seconds=None,
        policy=Policy(max_attempts=1 if once else 3),
        told={},
        body=None,
    )


@EACH_FLOW
def test_everything_given(flow: Flow) -> None:
    """Each field of the payload is taken as it came."""
    payload: dict[str, Any] = {
        "message": "Größe: 5 µm 🚀",
        "processingTime": 0,
        "timeoutSeconds": 60,
        "startTimeoutSeconds": 45,
        "simulate": {"exitCode": 3},
    }
    if flow is Flow.POLLING:
        payload["pollSeconds"] = 7
    if flow is not Flow.DYNAMODB:
        payload |= {"maxAttempts": 5, "retryOn": ["OutOfMemory", 75, "ApplicationFailed"]}
    asked = Policy(5, frozenset({"ApplicationFailed", "OutOfMemory", 75}))
    told = {
        "MESSAGE": "Größe: 5 µm 🚀",
        "PROCESSING_TIME": "0",
        "SIMULATE": '{"exitCode": 3}',
    }
    assert parsed(payload, flow, EXECUTION_TIMEOUT) == Work(
        job(environment=told),
        timeout_seconds=60,
        start_timeout_seconds=45,
        poll_seconds=payload.get("pollSeconds"),
        policy=ONCE if flow is Flow.DYNAMODB else asked,
        told={"message": "Größe: 5 µm 🚀"},
    )


def test_null_is_absent_where_there_is_no_value() -> None:
    """Null stands for absent in the fields that have no plain default."""
    names = ("timeoutSeconds", "startTimeoutSeconds", "pollSeconds", "simulate")
    nothing = dict.fromkeys(names)
    polling = Flow.POLLING
    assert parsed(nothing, polling, EXECUTION_TIMEOUT) == parsed({}, polling, EXECUTION_TIMEOUT)


@pytest.mark.parametrize(
    ("payload", "field", "value", "expected"),
    [
        ({"message": None}, "message", "null", "text"),
        ({"message": 5}, "message", "5", "text"),
        ({"message": ["a"]}, "message", '["a"]', "text"),
        ({"processingTime": None}, "processingTime", "null", "whole number"),
        ({"processingTime": True}, "processingTime", "true", "whole number"),
        ({"processingTime": "5"}, "processingTime", '"5"', "whole number"),
        ({"processingTime": 5.5}, "processingTime", "5.5", "whole number"),
        ({"processingTime": 5.0}, "processingTime", "5.0", "whole number"),
        ({"processingTime": float("nan")}, "processingTime", "NaN", "whole number"),
        ({"processingTime": -1}, "processingTime", "-1", ">= 0"),
        ({"timeoutSeconds": 0}, "timeoutSeconds", "0", ">= 1"),
        ({"timeoutSeconds": -60}, "timeoutSeconds", "-60", ">= 1"),
        ({"timeoutSeconds": True}, "timeoutSeconds", "true", "whole number"),
        ({"timeoutSeconds": "60"}, "timeoutSeconds", '"60"', "whole number"),
        ({"timeoutSeconds": 60.0}, "timeoutSeconds", "60.0", "whole number"),
        ({"startTimeoutSeconds": 0}, "startTimeoutSeconds", "0", ">= 1"),
        ({"startTimeoutSeconds": -60}, "startTimeoutSeconds", "-60", ">= 1"),
        ({"startTimeoutSeconds": True}, "startTimeoutSeconds", "true", "whole number"),
        ({"startTimeoutSeconds": "60"}, "startTimeoutSeconds", '"60"', "whole number"),
        ({"startTimeoutSeconds": 60.0}, "startTimeoutSeconds", "60.0", "whole number"),
        ({"pollSeconds": 0}, "pollSeconds", "0", ">= 1"),
        ({"pollSeconds": 3_001}, "pollSeconds", "3001", "<= 3000"),
        ({"pollSeconds": False}, "pollSeconds", "false", "whole number"),
        ({"pollSeconds": "5"}, "pollSeconds", '"5"', "whole number"),
        ({"pollSeconds": 5.0}, "pollSeconds", "5.0", "whole number"),
        ({"maxAttempts": 0}, "maxAttempts", "0", ">= 1"),
        ({"maxAttempts": 11}, "maxAttempts", "11", "<= 10"),
        ({"maxAttempts": None}, "maxAttempts", "null", "whole number"),
        ({"maxAttempts": True}, "maxAttempts", "true", "whole number"),
        ({"maxAttempts": "3"}, "maxAttempts", '"3"', "whole number"),
        ({"maxAttempts": 2.0}, "maxAttempts", "2.0", "whole number"),
        ({"retryOn": None}, "retryOn", "null", "a list of any of ApplicationFailed, OutOfMemory"),
        ({"retryOn": {}}, "retryOn", "{}", "a list of any of"),
        ({"retryOn": "OutOfMemory"}, "retryOn", '"OutOfMemory"', "a list of any of"),
        ({"retryOn": ["outOfMemory"]}, "retryOn", '["outOfMemory"]', "a list of any of"),
        ({"retryOn": ["SpotInterrupted"]}, "retryOn", '["SpotInterrupted"]', "OutOfMemory"),
        ({"retryOn": ["OutOfMemory", 0]}, "retryOn", '["OutOfMemory", 0]', "0 is a success"),
        ({"retryOn": [-1]}, "retryOn", "[-1]", "exit codes from 1 to 255"),
        ({"retryOn": [256]}, "retryOn", "[256]", "exit codes from 1 to 255"),
        ({"retryOn": [222]}, "retryOn", "[222]", "222 says that a container did not get its code"),
        ({"retryOn": [75, True]}, "retryOn", "[75, true]", "exit codes from 1 to 255"),
        ({"retryOn": [75.0]}, "retryOn", "[75.0]", "exit codes from 1 to 255"),
        ({"retryOn": ["75"]}, "retryOn", '["75"]', "exit codes from 1 to 255"),
        ({"retryOn": [None]}, "retryOn", "[null]", "exit codes from 1 to 255"),
        ({"retryOn": 75}, "retryOn", "75", "a list of any of"),
        ({"retryOn": [["OutOfMemory"]]}, "retryOn", '[["OutOfMemory"]]', "a list of any of"),
        ({"simulate": 3}, "simulate", "3", "an object"),
        ({"simulate": []}, "simulate", "[]", "an object"),
        ({"simulate": {"exitCode": None}}, "simulate.exitCode", "null", "whole number"),
        ({"simulate": {"exitCode": True}}, "simulate.exitCode", "true", "whole number"),
        ({"simulate": {"exitCode": "3"}}, "simulate.exitCode", '"3"', "whole number"),
        ({"simulate": {"exitCode": 3.0}}, "simulate.exitCode", "3.0", "whole number"),
        ({"simulate": {"exitCode": -1}}, "simulate.exitCode", "-1", ">= 0"),
        ({"simulate": {"exitCode": 256}}, "simulate.exitCode", "256", "<= 255"),
        ({"simulate": {"exitCode": 222}}, "simulate.exitCode", "222", "from 0 to 255 but 222"),
    ],
)
def test_wrong_value(payload: object, field: str, value: str, expected: str) -> None:
    """A wrong value is refused by its field, with what came and what was expected."""
    error = refusal(payload, Flow.POLLING)
    assert (error.field, error.value) == (field, value)
    assert expected in error.expected
    assert not {"Expected", "got"} & set(re.findall(r"\w+", error.expected))
    assert str(error) == f"{field}: expected {error.expected}, got {value}. No task was started."


@EACH_FLOW
@pytest.mark.parametrize("payload", [None, [], [{}], "text", 5, 5.5, True])
def test_no_object(payload: object, flow: Flow) -> None:
    """A payload that is not a JSON object is refused as a whole."""
    error = refusal(payload, flow)
    assert error.field == "payload"
    assert "object" in error.expected


@EACH_FLOW
@pytest.mark.parametrize("name", ["mesage", "Message", "processing_time", "a.b", "a, got b", "`"])
def test_unknown_field(name: str, flow: Flow) -> None:
    """An unknown field is refused by name, with its value and the names that there are."""
    error = refusal({"message": "hi", name: 7}, flow)
    assert (error.field, error.value) == (name, "7")
    for known in ("message", "processingTime", "timeoutSeconds", "simulate"):
        assert known in error.expected


@EACH_FLOW
def test_unknown_nested_field(flow: Flow) -> None:
    """An unknown field of `simulate` is refused by its dotted name."""
    error = refusal({"simulate": {"exitCode": 3, "signal": [9]}}, flow)
    assert (error.field, error.value) == ("simulate.signal", "[9]")
    assert error.expected == "one of the fields exitCode"


@pytest.mark.parametrize("flow", [Flow.DYNAMODB, Flow.EVENTBRIDGE])
def test_poll_seconds_elsewhere(flow: Flow) -> None:
    """`pollSeconds` belongs to polling: any other flow refuses it, and says so."""
    error = refusal({"pollSeconds": 5}, flow)
    assert error.field == "pollSeconds"
    assert error.expected == "no such field here: only the polling flow takes it"
    assert "pollSeconds" in refusal({"x": 5}, Flow.POLLING).expected


@pytest.mark.parametrize(("name", "value"), [("maxAttempts", 2), ("retryOn", ["OutOfMemory"])])
def test_retries_elsewhere(name: str, value: object) -> None:
    """The DynamoDB flow refuses fields about retries, for no execution waits to retry."""
    error = refusal({name: value}, Flow.DYNAMODB)
    assert error.field == name
    assert error.expected == "no such field here: only the polling and the EventBridge flow take it"


@EACH_FLOW
def test_reserved_exit_code(flow: Flow) -> None:
    """No flow simulates the code of a container without its code: the refusal says what it is."""
    error = refusal({"simulate": {"exitCode": 222}}, flow)
    assert (error.field, error.value) == ("simulate.exitCode", "222")
    assert "did not get its code" in error.expected


@WAITING
@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, Policy()),
        ({"maxAttempts": 1}, ONCE),
        ({"maxAttempts": 10}, Policy(10)),
        ({"retryOn": []}, Policy()),
        ({"retryOn": ["OutOfMemory"] * 2}, Policy(3, frozenset({"OutOfMemory"}))),
        ({"retryOn": [75, "OutOfMemory", 75]}, Policy(3, frozenset({"OutOfMemory", 75}))),
        ({"retryOn": [1, 221, 223, 255]}, Policy(3, frozenset({1, 221, 223, 255}))),
    ],
)
def test_policy(flow: Flow, given: dict[str, Any], asked: Policy) -> None:
    """The payload sets the number of attempts, and the outcomes that are retried on demand."""
    assert parsed(given, flow, EXECUTION_TIMEOUT).policy == asked


@EACH_FLOW
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("a\0b", "text without NUL"),
        *((t, "text without lone surrogates") for t in ("\ud800", "x\udfff")),
    ],
)
def test_message_that_no_container_can_take(message: str, expected: str, flow: Flow) -> None:
    """Text that cannot be an environment variable is refused before a task is asked for it."""
    error = refusal({"message": message}, flow)
    assert (error.field, error.expected) == ("message", expected)


def test_long_value_is_shortened() -> None:
    """A long value is shown by its beginning and its length."""
    error = refusal({"processingTime": "x" * 5_000})
    assert error.value == '"' + "x" * 199 + "… (5002 characters)"
    shown = refusal({"processingTime": "x" * 198}).value
    assert shown == '"' + "x" * 198 + '"'


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"x` - at `$.y": 1}, "x` - at `$.y"),
        ({"simulate": {"exitCode": 3, "`": 1}}, "simulate.`"),
        ({"\ud800": 1}, r"\ud800"),
        ({"simulate": "\ud800"}, "simulate"),
        ("\ud800", "payload"),
    ],
)
def test_strange_text(payload: object, field: str) -> None:
    """Text that the validator cannot quote is refused like any other."""
    error = refusal(payload)
    assert error.field == field
    assert str(error).encode()


def test_missing_field() -> None:
    """A required field that is missing is named."""
    error = refusal({"simulate": {}})
    assert (error.field, error.value) == ("simulate.exitCode", "null")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({}, {}),
        ({"message": "hi"}, {"message": "hi"}),
        ({"command": ["a", "b"]}, {"command": ["a", "b"]}),
        ({"environment": {"A": "1"}}, {"environment": {"A": "1"}}),
        ({"input": {"a": [1]}}, {"input": '{"a":[1]}'}),
        ({"input": "x" * 5_000}, {}),
        ({"inputUri": "s3://bucket/key", "containerName": "x", "tags": {"a": "b"}}, {}),
    ],
    ids=lambda part: str(part)[:30],
)
def test_fields_that_may_be_too_long(payload: dict[str, Any], told: dict[str, object]) -> None:
    """The search for a too long field looks at the fields without a bound."""
    assert parsed(payload, Flow.EVENTBRIDGE).told == told


@pytest.mark.parametrize("text", ["x" * 100, "é🚀" * 10, '"'])
def test_request_that_is_too_long(text: str) -> None:
    """A request that is too long is refused by its longest field, with the length that fits."""
    told = {"command": [], "message": text}
    check_length(told, 0)
    with pytest.raises(InvalidRequestError) as refused:
        check_length(told, 1)
    assert (refused.value.field, refused.value.value) == ("message", json.dumps(text))
    spare = len(json.dumps(text)) - 1
    assert refused.value.expected == f"at most {spare} characters when written as JSON"


def test_fields_that_are_too_long_together() -> None:
    """A refusal for length names all long fields, the longest first, if no single one is enough."""
    with pytest.raises(InvalidRequestError) as refused:
        check_length({"message": "x" * 10, "input": "x" * 20, "command": ["x"]}, 25)
    assert refused.value.field == "input"
    assert "25 characters less of it and of message and command" in refused.value.expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x" * 300_000, f"{'x' * 200}…"), ("x\n\x1b[31m", r"x\n\u001b[31m"), ("Größe", "Größe")],
    ids=["long", "control characters", "umlaut"],
)
def test_name_that_is_shown(name: str, shown: str) -> None:
    """An error shows a field's name on one line, and cut."""
    error = refusal({name: 1})
    assert error.field == shown
    assert len(str(error)) < 2_000
