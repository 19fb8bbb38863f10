from __future__ import annotations

import json
from typing import Any

from hypothesis import given, reject
from hypothesis import strategies as st

from core.correlation import Correlation
from core.launch import MAX_OVERRIDES, Launch, Target
from core.polling import longest_wait
from core.record import Flow
from core.request import RESERVE_SECONDS, InvalidRequestError, Simulation, Work, parse

# JSON's text may hold lone surrogates, which no UTF-8 can.
TEXT = st.text(st.characters())
NAMES = st.sampled_from(
    ["message", "processingTime", "timeoutSeconds", "pollSeconds", "simulate", "exitCode"]
)
NUMBERS = st.integers() | st.integers(-1, 3_001) | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES | TEXT, inner),
    max_leaves=8,
)
FIELDS = {
    "message": TEXT,
    "processingTime": st.integers(-1, 700),
    "timeoutSeconds": st.none() | st.integers(0, 900),
    "pollSeconds": st.none() | st.integers(0, 3_001),
    "simulate": st.none() | st.fixed_dictionaries({"exitCode": st.integers(-1, 256)}),
}
# Near enough to the bounds that many are accepted, and with one field that may be anything.
PAYLOADS = st.fixed_dictionaries({}, optional=FIELDS)
SPOILT = st.builds(lambda payload, name, value: payload | {name: value}, PAYLOADS, NAMES, JSON)
FLOWS = st.sampled_from(Flow)
EXECUTION_TIMEOUTS = st.integers(600, 31_622_400) | st.just(600)
TARGET = Target("cluster", "demo-worker", "worker", "demo-callbacks", ["subnet-1"], ["sg-1"])


def answer(payload: object, flow: Flow, execution_timeout: int) -> Work | InvalidRequestError:
    """Return the work that a payload asks for, or its refusal; any other error is the test's."""
    try:
        return parse(payload, flow, execution_timeout)
    except InvalidRequestError as refusal:
        return refusal


@given(JSON | PAYLOADS | SPOILT, FLOWS, EXECUTION_TIMEOUTS)
def test_any_payload(payload: object, flow: Flow, execution_timeout: int) -> None:
    """Whatever JSON comes, it is refused by a field's name or becomes work within all bounds."""
    work = answer(payload, flow, execution_timeout)
    if isinstance(work, InvalidRequestError):
        told = f"{work.field}: expected {work.expected}, got {work.value}. No task was started."
        assert str(work) == told
        assert told.encode().decode() == told
        return
    assert 0 <= work.processing_time <= work.timeout_seconds
    assert "\0" not in work.message
    assert work.message.encode().decode() == work.message
    longest = 366 * 86_400 if flow is Flow.DYNAMODB else execution_timeout - RESERVE_SECONDS
    assert work.timeout_seconds <= longest
    if flow is Flow.POLLING:
        assert work.timeout_seconds <= longest_wait(work.poll_seconds)
    else:
        assert work.poll_seconds is None


@given(PAYLOADS, FLOWS)
def test_accepted_as_given(payload: dict[str, Any], flow: Flow) -> None:
    """What is accepted is what was given; only what is absent or null takes a default."""
    work = answer(payload, flow, 86_400)
    if isinstance(work, InvalidRequestError):
        reject()
    failure = payload.get("simulate")
    given = {
        "message": work.message,
        "processingTime": work.processing_time,
        "timeoutSeconds": work.timeout_seconds,
        "pollSeconds": work.poll_seconds,
    }
    assert {name: given[name] for name in given if payload.get(name) is not None} == {
        name: value for name, value in payload.items() if name in given and value is not None
    }
    assert work.simulate == (Simulation(failure["exitCode"]) if failure else None)


@given(st.text(st.characters(), min_size=1_000, max_size=4_000) | TEXT, FLOWS)
def test_any_message(message: str, flow: Flow) -> None:
    """Whatever the message, the request is within ECS's limit or refused before it is made."""
    overrides = requested(message, flow)
    if isinstance(overrides, InvalidRequestError):
        assert overrides.field == "message"
        return
    assert len(json.dumps(overrides)) <= MAX_OVERRIDES
    [container] = overrides["containerOverrides"]
    assert {"name": "MESSAGE", "value": message} in container["environment"]


def requested(message: str, flow: Flow) -> dict[str, Any] | InvalidRequestError:
    """Return the overrides with which a message would be launched, or its refusal."""
    try:
        work = parse({"message": message}, flow, 86_400)
        launch = Launch("arn", Correlation("demo", "one", 1), 1, flow, work)
        return dict(launch.request(TARGET)["overrides"])
    except InvalidRequestError as refusal:
        return refusal
