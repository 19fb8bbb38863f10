from __future__ import annotations

import json
from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import event, given, reject
from hypothesis import strategies as st

from adapters.updates import plain, serialized
from core.capacity import first
from core.correlation import Correlation
from core.flow import Flow
from core.job import Job
from core.launch import MAX_OVERRIDES, Launch
from core.payload import Payload, check_length
from core.polling import longest_wait
from core.reading import InvalidRequestError, names
from core.record import Record
from core.reported import TICKET_RESERVE
from core.retry import ONCE
from core.start import last_word_seconds
from core.work import RESERVE_SECONDS, Work
from local.ecs.size import check_size
from local.ecs.tags import check_tags
from tests.property.payloads import FLOWS, JSON, PAYLOADS, SPOILT, TEXT, TIMES, taken
from tests.values import BUCKET, launch, parsed, place, record

WAITING = st.sampled_from([Flow.POLLING, Flow.EVENTBRIDGE])
EXECUTION_TIMEOUTS = st.integers(600, 31_622_400) | st.just(600)
PLACE = place()
RETRIED = {"ApplicationFailed", "OutOfMemory", *range(1, 256)} - {222}
RUN_TASK = get_session().get_service_model("ecs").operation_model("RunTask").input_shape


def answer(payload: object, flow: Flow, execution_timeout: int) -> Work | InvalidRequestError:
    """Return the work that a payload asks for, or its refusal; any other error is the test's."""
    try:
        return parsed(payload, flow, execution_timeout)
    except InvalidRequestError as refusal:
        return refusal


@given(JSON | PAYLOADS | SPOILT, FLOWS, EXECUTION_TIMEOUTS)
def test_any_payload(payload: object, flow: Flow, execution_timeout: int) -> None:
    """Any JSON is refused by a field's name or becomes work within all bounds."""
    work = answer(payload, flow, execution_timeout)
    if isinstance(work, InvalidRequestError):
        message = f"{work.field}: expected {work.expected}, got {work.value}. No task was started."
        assert str(work) == message
        assert message.encode().decode() == message
        return
    told = work.job.environment
    assert 0 <= int(told.get("PROCESSING_TIME", 0)) <= work.timeout_seconds
    assert 1 <= work.start_timeout_seconds <= work.timeout_seconds
    assert work.policy.retry_on <= RETRIED
    for text in (*told, *told.values(), *work.job.command):
        assert "\0" not in text
        assert text.encode().decode() == text
    if flow is Flow.DYNAMODB:
        assert work.timeout_seconds <= 366 * 86_400
    if flow is Flow.POLLING:
        assert work.timeout_seconds <= longest_wait(work.poll_seconds, work.policy.max_attempts)
    else:
        assert work.poll_seconds is None


@given(TIMES, WAITING, st.integers(600, 3_000) | EXECUTION_TIMEOUTS)
def test_every_attempt_fits(payload: dict[str, Any], flow: Flow, execution_timeout: int) -> None:
    """Accepted work ends in time, however many attempts it has and however long each takes."""
    work = answer(taken(payload, flow), flow, execution_timeout)
    if isinstance(work, InvalidRequestError):
        reject()
    attempts, backoff = work.policy.max_attempts, work.policy.longest_backoff
    last_words = (attempts - 1) * last_word_seconds(work.timeout_seconds)
    longest = attempts * work.timeout_seconds + last_words + backoff + RESERVE_SECONDS
    assert longest <= execution_timeout


@given(TIMES, EXECUTION_TIMEOUTS)
def test_one_attempt(payload: dict[str, Any], execution_timeout: int) -> None:
    """A flow that does not wait makes one attempt, whatever is asked for."""
    work = answer(taken(payload, Flow.DYNAMODB), Flow.DYNAMODB, execution_timeout)
    assert isinstance(work, InvalidRequestError) or work.policy == ONCE


@given(PAYLOADS, FLOWS)
def test_accepted_as_given(payload: dict[str, Any], flow: Flow) -> None:
    """Accepted work has the payload's values; only an absent or null field takes a default."""
    payload = taken(payload, flow)
    work = answer(payload, flow, 86_400)
    if isinstance(work, InvalidRequestError):
        reject()
    told = work.job.environment
    given = {
        "message": told.get("MESSAGE"),
        "processingTime": int(told.get("PROCESSING_TIME", 0)),
        "simulate": json.loads(told.get("SIMULATE", "null")),
        "containerName": work.job.container,
        "command": list(work.job.command),
        "cpu": work.job.cpu,
        "ephemeralStorageGiB": work.job.ephemeral_storage,
        "capacity": work.job.capacity,
        "tags": work.job.tags,
        "timeoutSeconds": work.timeout_seconds,
        "startTimeoutSeconds": work.start_timeout_seconds,
        "heartbeatSeconds": work.heartbeat_seconds,
        "pollSeconds": work.poll_seconds,
        "maxAttempts": work.policy.max_attempts,
    }
    assert {name: given[name] for name in given if payload.get(name) is not None} == {
        name: value for name, value in payload.items() if name in given and value is not None
    }
    assert work.policy.retry_on == set(payload.get("retryOn", []))
    assert payload.get("environment", {}).items() <= told.items()
    assert [*work.job.memory] in ([], payload.get("memory"), [payload.get("memory")])
    assert json.loads(work.body or work.job.input or "null") == payload.get("input")


@given(PAYLOADS | SPOILT, FLOWS)
def test_any_request(payload: dict[str, Any], flow: Flow) -> None:
    """An accepted payload makes requests that ECS takes, and its record makes the same ones."""
    payload = taken(payload, flow)
    work = admitted(payload, flow)
    if isinstance(work, InvalidRequestError):
        event(f"refused: {work.field.partition('.')[0]}")
        assert work.field.partition(".")[0] in names(Payload)
        return
    event("accepted")
    for attempt in {1, work.policy.max_attempts}:
        asked = requested(work, flow, attempt)
        request = asked.request(PLACE)
        assert not ParamValidator().validate(request, RUN_TASK).has_errors()
        overrides = request["overrides"]
        assert len(json.dumps(overrides)) <= MAX_OVERRIDES
        containers = [{"Name": work.job.container}]
        check_size({"Cpu": "256", "Memory": "512", "ContainerDefinitions": containers}, overrides)
        check_tags(request)
        assert json.dumps(stored(asked).request(PLACE)) == json.dumps(request)


@given(st.text(st.characters(), min_size=1_000, max_size=4_000) | TEXT, FLOWS)
def test_any_message(message: str, flow: Flow) -> None:
    """Any message reaches the container, or is refused before a task is asked for."""
    work = admitted({"message": message}, flow)
    if isinstance(work, InvalidRequestError):
        assert work.field == "message"
        return
    overrides = requested(work, flow, 1).request(PLACE)["overrides"]
    assert len(json.dumps(overrides)) <= MAX_OVERRIDES
    [container] = overrides["containerOverrides"]
    assert {"name": "MESSAGE", "value": message} in container["environment"]


def admitted(payload: dict[str, Any], flow: Flow) -> Work | InvalidRequestError:
    """Return the work of a payload that an execution begins with, or its refusal."""
    try:
        work = parsed(payload, flow)
        excess = requested(work, flow, 1).excess(PLACE.table, BUCKET, work.policy.max_attempts)
        check_length(work.told, excess)
    except InvalidRequestError as refusal:
        return refusal
    return work


def requested(work: Work, flow: Flow, attempt: int) -> Launch:
    """Return the first launch of an attempt."""
    return launch(
        correlation=Correlation("demo", "one", attempt),
        flow=flow,
        job=work.job,
        ticket=TICKET_RESERVE if flow.takes_result else None,
        capacity=first(work.job.capacity),
    )


def stored(asked: Launch) -> Launch:
    """Return a launch as it is found by a later try, which knows its record alone."""
    kept = record(
        flow=asked.flow,
        attempt=asked.correlation.attempt,
        job=asked.job,
        ticket=asked.ticket,
        capacity=asked.capacity,
    )
    found = Record.from_item(plain(json.loads(json.dumps(serialized(kept.to_item())))), BUCKET)
    ignorant = launch(correlation=asked.correlation, flow=asked.flow, job=Job("x", "x"))
    return ignorant.stored(found)
