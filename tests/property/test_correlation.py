from __future__ import annotations

import json
import string
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.updates import plain, serialized
from core.correlation import Correlation, client_token, execution_id
from core.flow import Flow
from core.job import Capacity, Job
from core.record import Record
from core.size import SIZES
from tests.values import launch, place, record

if TYPE_CHECKING:
    from core.launch import Launch

LETTERS = string.ascii_letters
STACKS = st.builds(
    str.__add__,
    st.sampled_from(LETTERS),
    st.text(LETTERS + string.digits + "-", max_size=42),
)
EXECUTION_IDS = st.text(LETTERS + string.digits + "-_", min_size=1, max_size=64)
ATTEMPTS = st.integers(1, 10**9)
CORRELATIONS = st.builds(Correlation, STACKS, EXECUTION_IDS, ATTEMPTS)
ARNS = EXECUTION_IDS.map(lambda key: f"arn:aws:lambda:us-east-1:123456789012:function:f:1/x/{key}")
NAMES = st.text(min_size=1, max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
JOBS = st.builds(
    Job,
    family=NAMES,
    container=NAMES,
    command=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    environment=st.dictionaries(NAMES, st.text(max_size=50), max_size=4),
    memory=st.lists(st.sampled_from(SIZES), max_size=3).map(lambda s: tuple(n.memory for n in s)),
    cpu=st.none() | st.integers(1, 16_384),
    capacity=st.sampled_from(Capacity),
    tags=st.dictionaries(NAMES, st.text(max_size=50), max_size=4),
    input=st.none() | JSON.map(json.dumps),
)
LAUNCHES = st.builds(
    launch,
    execution_arn=ARNS,
    correlation=CORRELATIONS,
    number=st.integers(1, 10**6),
    flow=st.sampled_from(Flow),
    job=JOBS,
)
PLACE = place()
KEYS = st.tuples(ARNS, ATTEMPTS, st.integers(1, 10**6))


@given(CORRELATIONS)
def test_round_trip(correlation: Correlation) -> None:
    """A task's `startedBy` tells whose it is, and fits into ECS's 128 characters."""
    assert len(correlation.started_by) <= 128
    assert Correlation.parse(correlation.started_by) == correlation


@given(st.text() | st.from_regex(r"[\w-]{0,9}/[\w-]{0,9}/\w{0,9}", fullmatch=True))
def test_any_started_by(started_by: str) -> None:
    """A foreign `startedBy` is never read as another correlation."""
    correlation = Correlation.parse(started_by)
    assert correlation is None or correlation.started_by == started_by


@given(CORRELATIONS, st.text())
def test_execution_id(correlation: Correlation, prefix: str) -> None:
    """The key of an execution survives the way through its ARN, `startedBy` and an event."""
    key = execution_id(f"{prefix}/{correlation.execution_id}")
    started_by = replace(correlation, execution_id=key).started_by
    assert Correlation.parse(started_by) == correlation


@given(KEYS, KEYS)
def test_client_tokens(one: tuple[str, int, int], other: tuple[str, int, int]) -> None:
    """Two launches have the same token exactly if they are the same launch."""
    assert (client_token(*one) == client_token(*other)) is (one == other)


@given(JOBS)
def test_job_round_trip(job: Job) -> None:
    """A job that was stored is the job that was asked for."""
    assert Job.from_dict(json.loads(json.dumps(job.to_dict()))) == job


@given(LAUNCHES)
def test_equal_launches(launch: Launch) -> None:
    """A launch whose job comes out of its record makes the request that it made before."""
    stored = record(job=launch.job).to_item()
    again = replace(launch, job=Record.from_item(plain(serialized(stored))).job)
    assert again.request(PLACE) == launch.request(PLACE)


@given(LAUNCHES, ATTEMPTS, st.integers(1, 10**6))
def test_other_launches(launch: Launch, attempt: int, number: int) -> None:
    """Another attempt or another launch has another token: ECS starts another task."""
    assume((attempt, number) != (launch.correlation.attempt, launch.number))
    correlation = replace(launch.correlation, attempt=attempt)
    other = replace(launch, correlation=correlation, number=number)
    assert other.request(PLACE)["clientToken"] != launch.request(PLACE)["clientToken"]
