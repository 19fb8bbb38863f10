from __future__ import annotations

import string
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from core.correlation import Correlation, client_token, execution_id
from core.flow import Flow
from core.launch import Launch, Place
from core.payload import Simulation, Work

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
WORK = st.builds(
    Work,
    message=st.text(max_size=50),
    processing_time=st.integers(0, 60),
    timeout_seconds=st.just(60),
    simulate=st.none() | st.builds(Simulation, exit_code=st.integers(0, 255)),
)
LAUNCHES = st.builds(Launch, ARNS, CORRELATIONS, st.integers(1, 10**6), st.sampled_from(Flow), WORK)
PLACE = Place(
    "cluster", "demo-worker", "worker", "demo-callbacks", ["subnet-1"], ["sg-1"], "ENABLED"
)
KEYS = st.tuples(ARNS, ATTEMPTS, st.integers(1, 10**6))


@given(CORRELATIONS)
def test_round_trip(correlation: Correlation) -> None:
    """What a task is started with tells whose it is, and fits into ECS's 128 characters."""
    assert len(correlation.started_by) <= 128
    assert Correlation.parse(correlation.started_by) == correlation


@given(st.text() | st.from_regex(r"[\w-]{0,9}/[\w-]{0,9}/\w{0,9}", fullmatch=True))
def test_any_started_by(started_by: str) -> None:
    """Whatever somebody else writes into `startedBy`, it is not taken for another's correlation."""
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


@given(LAUNCHES)
def test_equal_launches(launch: Launch) -> None:
    """A launch that is repeated makes the request that it made before: nothing in it varies."""
    again = replace(launch, work=replace(launch.work))
    assert again is not launch
    assert again.request(PLACE) == launch.request(PLACE)


@given(LAUNCHES, ATTEMPTS, st.integers(1, 10**6))
def test_other_launches(launch: Launch, attempt: int, number: int) -> None:
    """Another attempt or another launch has another token: ECS starts another task."""
    assume((attempt, number) != (launch.correlation.attempt, launch.number))
    correlation = replace(launch.correlation, attempt=attempt)
    other = replace(launch, correlation=correlation, number=number)
    assert other.request(PLACE)["clientToken"] != launch.request(PLACE)["clientToken"]
