from __future__ import annotations

import pytest

from core.polling import longest_wait
from core.record import Flow
from core.request import InvalidRequestError, parse

DAY = 86_400
YEAR = 31_622_400
RESERVE = 300
EACH_FLOW = pytest.mark.parametrize("flow", Flow)
WAITING = pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])


@EACH_FLOW
@pytest.mark.parametrize("execution_timeout", [600, DAY, 8 * DAY])
def test_default_timeout(flow: Flow, execution_timeout: int) -> None:
    """Without a timeout of its own an attempt may take what the execution can wait for."""
    assert parse({}, flow, execution_timeout).timeout_seconds == execution_timeout - RESERVE


@WAITING
def test_longest_timeout(flow: Flow) -> None:
    """A timeout fits if the execution has time left after it to stop the task and say so."""
    longest = DAY - RESERVE
    assert parse({"timeoutSeconds": longest}, flow, DAY).timeout_seconds == longest
    with pytest.raises(InvalidRequestError) as refused:
        parse({"timeoutSeconds": longest + 1}, flow, DAY)
    assert (refused.value.field, refused.value.value) == ("timeoutSeconds", str(longest + 1))
    assert f"at most {longest} s" in refused.value.expected
    assert "ExecutionTimeout" in refused.value.expected
    assert "EventBridge" not in refused.value.expected


def test_longest_timeout_of_a_task_that_nobody_waits_for() -> None:
    """The DynamoDB flow's task may outlive its execution."""
    assert parse({"timeoutSeconds": 7 * DAY}, Flow.DYNAMODB, DAY).timeout_seconds == 7 * DAY


@EACH_FLOW
@pytest.mark.parametrize("timeout", [None, 60])
def test_work_fits_its_timeout(flow: Flow, timeout: int | None) -> None:
    """Work that would take longer than its timeout is refused, work as long as it is not."""
    longest = timeout or DAY - RESERVE
    payload = {"timeoutSeconds": timeout, "processingTime": longest}
    assert parse(payload, flow, DAY).processing_time == longest
    with pytest.raises(InvalidRequestError) as refused:
        parse(payload | {"processingTime": longest + 1}, flow, DAY)
    assert (refused.value.field, refused.value.value) == ("processingTime", str(longest + 1))
    assert f"{longest} s" in refused.value.expected


@EACH_FLOW
def test_immense_work(flow: Flow) -> None:
    """A number beyond every machine's integers is refused like any other that is too large."""
    with pytest.raises(InvalidRequestError, match="processingTime"):
        parse({"processingTime": 10**30}, flow, DAY)


@pytest.mark.parametrize("poll_seconds", [1, 60, 3_000, None])
def test_longest_polling(poll_seconds: int | None) -> None:
    """Polling waits no longer than an execution's operations last, and points to EventBridge."""
    longest = longest_wait(poll_seconds)
    payload = {"pollSeconds": poll_seconds, "timeoutSeconds": longest}
    assert parse(payload, Flow.POLLING, YEAR).timeout_seconds == longest
    with pytest.raises(InvalidRequestError) as refused:
        parse(payload | {"timeoutSeconds": longest + 1}, Flow.POLLING, YEAR)
    assert refused.value.field == "timeoutSeconds"
    assert "EventBridge flow" in refused.value.expected
    assert "pollSeconds" in refused.value.expected


@pytest.mark.parametrize("poll_seconds", [1, None])
def test_default_of_polling(poll_seconds: int | None) -> None:
    """Without a timeout polling waits as long as its checks last."""
    work = parse({"pollSeconds": poll_seconds}, Flow.POLLING, YEAR)
    assert work.timeout_seconds == longest_wait(poll_seconds)


def test_eventbridge_waits_for_a_year() -> None:
    """The EventBridge flow, to which polling points, waits as long as the execution may."""
    payload = {"timeoutSeconds": YEAR - RESERVE}
    assert parse(payload, Flow.EVENTBRIDGE, YEAR).timeout_seconds == YEAR - RESERVE


@pytest.mark.parametrize("poll_seconds", [1, 3_000])
def test_interval_at_its_bounds(poll_seconds: int) -> None:
    """The interval may be 1 to 3,000 seconds."""
    assert parse({"pollSeconds": poll_seconds}, Flow.POLLING, DAY).poll_seconds == poll_seconds


@EACH_FLOW
@pytest.mark.parametrize("exit_code", [0, 255])
def test_simulated_exit_code_at_its_bounds(flow: Flow, exit_code: int) -> None:
    """A failure may be asked for with any exit code that a process can have."""
    simulate = parse({"simulate": {"exitCode": exit_code}}, flow, DAY).simulate
    assert simulate is not None
    assert simulate.exit_code == exit_code


def test_longest_timeout_of_the_dynamodb_flow() -> None:
    """Its timeout may be as long as the longest execution: 366 days."""
    assert parse({"timeoutSeconds": YEAR}, Flow.DYNAMODB, DAY).timeout_seconds == YEAR
    with pytest.raises(InvalidRequestError, match=f"timeoutSeconds: expected at most {YEAR} s"):
        parse({"timeoutSeconds": YEAR + 1}, Flow.DYNAMODB, DAY)


def test_timeout_beyond_the_calendar() -> None:
    """A timeout whose deadline no calendar holds is refused, although nobody waits for it."""
    with pytest.raises(InvalidRequestError, match="timeoutSeconds"):
        parse({"timeoutSeconds": 10**12}, Flow.DYNAMODB, DAY)
