from __future__ import annotations

import json
from typing import Any

from hypothesis import given, reject
from hypothesis import strategies as st

from core.flow import Flow
from core.launch import MAX_OVERRIDES
from core.payload import check_length
from core.polling import longest_wait
from core.reading import InvalidRequestError
from core.retry import ONCE
from core.start import last_word_seconds
from core.work import RESERVE_SECONDS, Work
from tests.values import launch, parsed, place

# JSON's text may hold lone surrogates, which no UTF-8 can.
TEXT = st.text(st.characters())
NAMES = st.sampled_from(
    [
        *("message", "processingTime", "timeoutSeconds", "maxAttempts", "retryOn"),
        *(
            "startTimeoutSeconds",
            "pollSeconds",
            "simulate",
            "exitCode",
            "ApplicationFailed",
            "OutOfMemory",
        ),
    ]
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
    "startTimeoutSeconds": st.none() | st.integers(0, 900),
    "pollSeconds": st.none() | st.integers(0, 3_001),
    "maxAttempts": st.integers(0, 11),
    "retryOn": st.lists(
        st.sampled_from(["ApplicationFailed", "OutOfMemory", "Spot", 222]) | st.integers(0, 256)
    ),
    "simulate": st.none() | st.fixed_dictionaries({"exitCode": st.integers(-1, 256)}),
}
# Near enough to the bounds that many are accepted, and with one field that may be anything.
PAYLOADS = st.fixed_dictionaries({}, optional=FIELDS)
SPOILT = st.builds(lambda payload, name, value: payload | {name: value}, PAYLOADS, NAMES, JSON)
FLOWS = st.sampled_from(Flow)
WAITING = st.sampled_from([Flow.POLLING, Flow.EVENTBRIDGE])
EXECUTION_TIMEOUTS = st.integers(600, 31_622_400) | st.just(600)
PLACE = place()
RETRIED = {"ApplicationFailed", "OutOfMemory", *range(1, 256)} - {222}


def answer(payload: object, flow: Flow, execution_timeout: int) -> Work | InvalidRequestError:
    """Return the work that a payload asks for, or its refusal; any other error is the test's."""
    try:
        return parsed(payload, flow, execution_timeout)
    except InvalidRequestError as refusal:
        return refusal


@given(JSON | PAYLOADS | SPOILT, FLOWS, EXECUTION_TIMEOUTS)
def test_any_payload(payload: object, flow: Flow, execution_timeout: int) -> None:
    """Whatever JSON comes, it is refused by a field's name or becomes work within all bounds."""
    work = answer(payload, flow, execution_timeout)
    if isinstance(work, InvalidRequestError):
        message = f"{work.field}: expected {work.expected}, got {work.value}. No task was started."
        assert str(work) == message
        assert message.encode().decode() == message
        return
    told = work.job.environment
    assert 0 <= int(told["PROCESSING_TIME"]) <= work.timeout_seconds
    assert 1 <= work.start_timeout_seconds <= work.timeout_seconds
    assert work.policy.retry_on <= RETRIED
    assert "\0" not in told["MESSAGE"]
    assert told["MESSAGE"].encode().decode() == told["MESSAGE"]
    if flow is Flow.DYNAMODB:
        assert work.timeout_seconds <= 366 * 86_400
    if flow is Flow.POLLING:
        assert work.timeout_seconds <= longest_wait(work.poll_seconds, work.policy.max_attempts)
    else:
        assert work.poll_seconds is None


@given(PAYLOADS, WAITING, st.integers(600, 3_000) | EXECUTION_TIMEOUTS)
def test_every_attempt_fits(payload: object, flow: Flow, execution_timeout: int) -> None:
    """What is accepted ends in time, however often it is tried and however long each try takes."""
    work = answer(payload, flow, execution_timeout)
    if isinstance(work, InvalidRequestError):
        reject()
    attempts, backoff = work.policy.max_attempts, work.policy.longest_backoff
    last_words = (attempts - 1) * last_word_seconds(work.timeout_seconds)
    longest = attempts * work.timeout_seconds + last_words + backoff + RESERVE_SECONDS
    assert longest <= execution_timeout


@given(PAYLOADS, EXECUTION_TIMEOUTS)
def test_one_attempt(payload: object, execution_timeout: int) -> None:
    """A flow that does not wait makes one attempt, whatever is asked for."""
    work = answer(payload, Flow.DYNAMODB, execution_timeout)
    assert isinstance(work, InvalidRequestError) or work.policy == ONCE


@given(PAYLOADS, FLOWS)
def test_accepted_as_given(payload: dict[str, Any], flow: Flow) -> None:
    """What is accepted is what was given; only what is absent or null takes a default."""
    work = answer(payload, flow, 86_400)
    if isinstance(work, InvalidRequestError):
        reject()
    failure = payload.get("simulate")
    given = {
        "message": work.job.environment["MESSAGE"],
        "processingTime": int(work.job.environment["PROCESSING_TIME"]),
        "timeoutSeconds": work.timeout_seconds,
        "startTimeoutSeconds": work.start_timeout_seconds,
        "pollSeconds": work.poll_seconds,
        "maxAttempts": work.policy.max_attempts,
    }
    assert work.policy.retry_on == set(payload.get("retryOn", []))
    assert {name: given[name] for name in given if payload.get(name) is not None} == {
        name: value for name, value in payload.items() if name in given and value is not None
    }
    assert json.loads(work.job.environment.get("SIMULATE", "null")) == failure


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
        work = parsed({"message": message}, flow)
        asked = launch(flow=flow, job=work.job)
        check_length(work.told, asked.excess(PLACE.table, PLACE.bucket, work.policy.max_attempts))
        return dict(asked.request(PLACE)["overrides"])
    except InvalidRequestError as refusal:
        return refusal
