from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, get_args

import botocore.session
import pytest
from botocore.validate import ParamValidator

from core.capacity import first
from core.flow import Flow
from core.input import MAX_INLINE
from core.job import Capacity
from core.launch import MAX_OVERRIDES
from core.limits import CODE, MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS, RESERVED_PREFIXES
from core.outcome import NOT_FETCHED
from core.payload import (
    MAX_EXIT_CODE,
    MAX_STORAGE,
    MIN_HEARTBEAT,
    MIN_STORAGE,
    Payload,
    fields,
)
from core.polling import MAX_CHECKS, longest_wait
from core.reading import InvalidRequestError, names
from core.retry import MAX_ATTEMPTS, OnDemand, Policy
from core.size import MEMORIES
from core.work import RESERVE_SECONDS
from tests import template
from tests.markdown import Page, code
from tests.template import ROOT
from tests.values import launch, parsed, place, terms

PAGE = Page(ROOT / "docs" / "payload.md")
STACK = "lambda-ecs-durable-demo"
ROWS = {row[0].strip("`"): row for row in PAGE.table("Field", "Type")}
TIMES = PAGE.table("One attempt may last")
TEXT = " ".join(PAGE.text.split())
NOTHING = "nothing to set"
AWAITED = [flow for flow in Flow if flow.is_awaited]
EXECUTION_TIMEOUT = template.source()["Parameters"]["ExecutionTimeout"]["Default"]
EXAMPLES = [fence for fence in PAGE.fences if fence.language == "json"]
RUN_TASK = botocore.session.get_session().get_service_model("ecs").operation_model("RunTask")


def request(payload: dict[str, Any], flow: Flow) -> dict[str, Any]:
    """Return RunTask's parameters of a payload's first attempt."""
    work = parsed(payload, flow, stack=STACK)
    capacity = first(work.job.capacity)
    asked = launch(flow=flow, job=work.job, ticket="0" * 32, capacity=capacity)
    return asked.request(place())


def flows(before: str) -> list[Flow]:
    """Return the flows that a comment before an example names."""
    listed = before.removeprefix("<!-- ").partition(":")[0]
    return [Flow(name) for name in listed.split(", ")]


def test_fields() -> None:
    """The table has every field, and each one's default."""
    assert list(ROWS) == names(Payload)
    work = parsed({}, Flow.POLLING)
    assert code(ROWS["message"][2]) == [work.job.environment["MESSAGE"]]
    assert ROWS["processingTime"][2] == work.job.environment["PROCESSING_TIME"]
    assert ROWS["maxAttempts"][2] == str(work.policy.max_attempts)
    assert code(ROWS["containerName"][2]) == [terms().default.container]
    assert code(ROWS["capacity"][2]) == [Capacity.ON_DEMAND]
    start = f"the smaller of {work.start_timeout_seconds} and `timeoutSeconds`"
    assert ROWS["startTimeoutSeconds"][2] == start


def test_bounds() -> None:
    """The table tells the bounds of each field that has some."""
    kinds = ", ".join(f"`{kind}`" for kind in get_args(OnDemand))
    codes = f"exit codes (1 to {MAX_EXIT_CODE}, except {NOT_FETCHED})"
    assert ROWS["maxAttempts"][1] == f"1 to {MAX_ATTEMPTS}"
    assert ROWS["retryOn"][1] == f"list of {kinds} and {codes}"
    assert ROWS["simulate"][1] == f'`{{"exitCode": 0…{MAX_EXIT_CODE}}}`, except {NOT_FETCHED}'
    assert ROWS["ephemeralStorageGiB"][1] == f"{MIN_STORAGE} to {MAX_STORAGE}"
    assert ROWS["heartbeatSeconds"][1] == f"whole seconds, ≥ {MIN_HEARTBEAT}"
    assert ROWS["memory"][1] == f"MiB, or a list of 1 to {MAX_ATTEMPTS} values"
    assert set(code(ROWS["capacity"][1])) == set(Capacity)
    assert ROWS["tags"][1] == f"object with text values, at most {MAX_TAGS} tags"
    lengths = (
        f"A key has 1 to {MAX_TAG_KEY} characters, and a value has up to {MAX_TAG_VALUE} characters"
    )
    assert lengths in ROWS["tags"][3]
    reserved = [CODE, *RESERVED_PREFIXES]
    assert code(ROWS["environment"][3])[: len(reserved)] == reserved
    share, whole = (parsed({}, f).timeout_seconds for f in (Flow.EVENTBRIDGE, Flow.DYNAMODB))
    shares = f"{whole} in the DynamoDB flow, {share} in the other flows"
    assert ROWS["timeoutSeconds"][2] == f"{shares}. Other settings can change this default"
    assert f"{MAX_OVERRIDES} characters" in TEXT
    assert f"at most {MAX_INLINE} characters" in TEXT


@pytest.mark.parametrize(("takes", "tries", "fields", "timeout", "days"), TIMES)
def test_times(takes: str, tries: str, fields: str, timeout: str, days: str) -> None:
    """Each row's payload and parameters give an attempt its time, and no smaller number does."""
    payload = {} if fields == NOTHING else json.loads(f"{{{fields.strip('`')}}}")
    execution = EXECUTION_TIMEOUT if timeout == NOTHING else int(timeout)
    for flow in [Flow.EVENTBRIDGE] if "EventBridge flow only" in takes else AWAITED:
        work = parsed(payload, flow, execution)
        assert work.policy.max_attempts == int(tries)
        # The largest that the row allows is said to the minute.
        spare = work.timeout_seconds - seconds(takes)
        assert 0 <= spare < (60 if takes.startswith("up to") else execution)
    if timeout != NOTHING:
        with pytest.raises(InvalidRequestError):
            parsed(payload, Flow.EVENTBRIDGE, execution - 1)
    kept = retention(days)
    payload["input"] = "x" * (MAX_INLINE + 1)
    assert parsed(payload, Flow.EVENTBRIDGE, execution, retention_days=kept).body
    if days != NOTHING:
        with pytest.raises(InvalidRequestError):
            parsed(payload, Flow.EVENTBRIDGE, execution, retention_days=kept - 1)


def test_times_below_the_table() -> None:
    """The numbers about other flows and intervals are the code's."""
    longest = template.source()["Parameters"]["ExecutionTimeout"]["MaxValue"]
    shares = {flow: parsed({}, flow).timeout_seconds for flow in Flow}
    polled = parsed({"pollSeconds": 5}, Flow.POLLING).timeout_seconds
    assert f"each of three attempts can last at most {polled} s" in TEXT
    assert f"The default of `timeoutSeconds` is then {polled}" in TEXT
    assert f"`timeoutSeconds` is {longest}. The default is {shares[Flow.DYNAMODB]}" in TEXT
    assert f"With three attempts, the default is {shares[Flow.EVENTBRIDGE]}" in TEXT
    assert f"enough operations for about {MAX_CHECKS} looks" in TEXT
    assert f"each of three attempts can last at most {longest_wait(None, 3) // 86_400} days" in TEXT
    assert f"`ExecutionTimeout` minus {RESERVE_SECONDS} s" in TEXT
    assert f"{RESERVE_SECONDS} s, so that the function can write the end" in TEXT
    sums = [Policy(attempts).longest_backoff for attempts in range(1, MAX_ATTEMPTS + 1)]
    *first, further = list(dict.fromkeys(b - a for a, b in pairwise(sums)))
    waits = ", ".join(f"{wait} s before attempt {n}" for n, wait in enumerate(first, 2))
    later = f"{further} s before attempt {len(first) + 2} and each later attempt"
    assert f"{waits}, and {later}" in TEXT


def seconds(cell: str) -> int:
    """The time that a cell tells."""
    words = cell.replace("a day", "1 days").replace("three", "3")
    units = {"days": 86_400, "h": 3_600, "min": 60, "minutes": 60}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+) (\w+)", words))


def retention(cell: str) -> int:
    """The days for which a cell asks, or the fewest that the template takes."""
    least = template.source()["Parameters"]["DataRetentionDays"]["MinValue"]
    return int(least if cell == NOTHING else re.findall(r"\d+", cell)[-1])


def test_sizes() -> None:
    """The table of sizes is that by which payloads are checked."""
    listed = {int(row[0]): row[1] for row in PAGE.table("`cpu`")}
    assert list(listed) == list(MEMORIES)
    for cpu, memories in MEMORIES.items():
        if isinstance(memories, range):
            shown = f"{memories[0]} to {memories[-1]}, in steps of {memories.step}"
        else:
            shown = ", ".join(map(str, memories))
        assert listed[cpu] == shown


@pytest.mark.parametrize(
    ("payload", "parameter", "held"),
    [[cell.strip("`") for cell in row] for row in PAGE.table("Payload", "Parameter of RunTask")],
)
def test_parameters(payload: str, parameter: str, held: str) -> None:
    """RunTask receives of a payload what the table says, in a request that AWS's model takes."""
    asked = request(json.loads(payload), Flow.EVENTBRIDGE)
    assert not ParamValidator().validate(asked, RUN_TASK.input_shape).has_errors()
    found: Any = asked
    for name in parameter.split("."):
        key, _, index = name.rstrip("]").partition("[")
        found = found[key][int(index)] if index else found[key]
    value = json.loads(held)
    assert value in found if isinstance(value, dict) and isinstance(found, list) else value == found


def test_fields_that_ask_the_stack() -> None:
    """Fields that the table of parameters leaves out change nothing of the request."""
    rows = PAGE.table("Payload", "Parameter of RunTask")
    listed = {name for row in rows for name in json.loads(row[0].strip("`"))}
    for example in EXAMPLES:
        payload = json.loads(example.text)
        shared = {name: payload[name] for name in payload if name in listed}
        for flow in flows(example.before):
            assert request(payload, flow) == request(shared, flow)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.before)
def test_examples(example: Any) -> None:
    """Each example is a payload of its flows, and a request that ECS's model takes."""
    for flow in flows(example.before):
        asked = request(json.loads(example.text), flow)
        report = ParamValidator().validate(asked, RUN_TASK.input_shape)
        assert not report.has_errors(), report.generate_report()


def test_an_example_for_each() -> None:
    """Every field stands in some example, and each flow runs one."""
    used = [(json.loads(example.text), flows(example.before)) for example in EXAMPLES]
    assert {name for payload, _ in used for name in payload} == set(names(Payload))
    for flow in Flow:
        told = {name for payload, taken in used if flow in taken for name in payload}
        assert told <= set(fields(flow))
