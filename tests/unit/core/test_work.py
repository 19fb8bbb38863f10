from __future__ import annotations

import json

import pytest

from core.flow import Flow
from core.polling import longest_wait
from core.reading import InvalidRequestError
from core.start import DEFAULT_START_SECONDS, LAST_WORD_SECONDS
from tests.values import parsed

DAY = 86_400
YEAR = 31_622_400
RESERVE = 300
EACH_FLOW = pytest.mark.parametrize("flow", Flow)
WAITING = pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])


@pytest.mark.parametrize(
    ("execution_timeout", "share"), [(600, 42), (DAY, 28_590), (8 * DAY, 230_190)]
)
@WAITING
def test_default_timeout(flow: Flow, execution_timeout: int, share: int) -> None:
    """Without a timeout of its own an attempt may take its share of the execution's time."""
    # Three attempts, the two waits between them, ECS's two last words and the reserve fill it up.
    assert parsed({}, flow, execution_timeout).timeout_seconds == share
    between = 30 + 60 + 2 * min(share, LAST_WORD_SECONDS)
    assert 0 <= execution_timeout - (3 * share + between + RESERVE) < 3


@WAITING
def test_default_timeout_of_one_attempt(flow: Flow) -> None:
    """A single attempt may take what the execution can wait for."""
    work = parsed({"maxAttempts": 1}, flow, DAY)
    assert work.timeout_seconds == DAY - RESERVE


@pytest.mark.parametrize("execution_timeout", [600, DAY, 8 * DAY])
def test_default_timeout_of_the_dynamodb_flow(execution_timeout: int) -> None:
    """The DynamoDB flow's attempt may by default take as long as an execution could wait."""
    work = parsed({}, Flow.DYNAMODB, execution_timeout)
    assert work.timeout_seconds == execution_timeout - RESERVE


@WAITING
@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, DAY - RESERVE), (2, 42_975), (3, 28_590), (10, 8_307)]
)
def test_longest_timeout(flow: Flow, attempts: int, longest: int) -> None:
    """A timeout fits if every attempt can take it, with time left to stop the last one's task."""
    payload = {"maxAttempts": attempts, "timeoutSeconds": longest}
    assert parsed(payload, flow, DAY).timeout_seconds == longest
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload | {"timeoutSeconds": longest + 1}, flow, DAY)
    assert (refused.value.field, refused.value.value) == ("timeoutSeconds", str(longest + 1))
    assert f"at most {longest} s" in refused.value.expected
    assert "ExecutionTimeout" in refused.value.expected
    assert (f"each of {attempts} attempts" in refused.value.expected) is (attempts > 1)
    assert "EventBridge" not in refused.value.expected


@WAITING
def test_attempts_that_do_not_fit(flow: Flow) -> None:
    """More attempts than an execution has seconds for are refused, not cut short."""
    assert parsed({"maxAttempts": 5, "processingTime": 0}, flow, 759).timeout_seconds == 1
    with pytest.raises(InvalidRequestError) as refused:
        parsed({"maxAttempts": 5, "processingTime": 0}, flow, 758)
    assert (refused.value.field, refused.value.value) == ("maxAttempts", "5")
    assert "ExecutionTimeout" in refused.value.expected
    assert "at most 4:" in refused.value.expected
    assert parsed({"maxAttempts": 4, "processingTime": 0}, flow, 758).timeout_seconds > 1


@EACH_FLOW
@pytest.mark.parametrize(
    ("timeout", "expected"),
    [(None, 1_800), (1_801, 1_800), (1_800, 1_800), (1_799, 1_799), (30, 30)],
)
def test_default_start_timeout(flow: Flow, timeout: int | None, expected: int) -> None:
    """A start may by default take half an hour, and no longer than its attempt."""
    payload = {"timeoutSeconds": timeout, "processingTime": 0}
    assert parsed(payload, flow, DAY).start_timeout_seconds == expected
    assert expected <= DEFAULT_START_SECONDS


@EACH_FLOW
@pytest.mark.parametrize("timeout", [None, 60])
def test_start_fits_its_timeout(flow: Flow, timeout: int | None) -> None:
    """A start that may take longer than its attempt is refused, one as long is not."""
    longest = timeout or parsed({}, flow, DAY).timeout_seconds
    payload = {"timeoutSeconds": timeout, "startTimeoutSeconds": longest}
    assert parsed(payload, flow, DAY).start_timeout_seconds == longest
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload | {"startTimeoutSeconds": longest + 1}, flow, DAY)
    assert (refused.value.field, refused.value.value) == ("startTimeoutSeconds", str(longest + 1))
    assert refused.value.expected == f"at most timeoutSeconds ({longest} s)"


def test_longest_timeout_of_a_task_that_nobody_waits_for() -> None:
    """The DynamoDB flow's task may outlive its execution."""
    assert parsed({"timeoutSeconds": 7 * DAY}, Flow.DYNAMODB, DAY).timeout_seconds == 7 * DAY


@EACH_FLOW
@pytest.mark.parametrize("timeout", [None, 60])
def test_work_fits_its_timeout(flow: Flow, timeout: int | None) -> None:
    """Work that would take longer than its timeout is refused, work as long as it is not."""
    longest = timeout or parsed({}, flow, DAY).timeout_seconds
    payload = {"timeoutSeconds": timeout, "processingTime": longest}
    told = parsed(payload, flow, DAY).job.environment
    assert told["PROCESSING_TIME"] == str(longest)
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload | {"processingTime": longest + 1}, flow, DAY)
    assert (refused.value.field, refused.value.value) == ("processingTime", str(longest + 1))
    assert f"{longest} s" in refused.value.expected


@EACH_FLOW
def test_immense_work(flow: Flow) -> None:
    """A number beyond every machine's integers is refused like any other that is too large."""
    with pytest.raises(InvalidRequestError, match="processingTime"):
        parsed({"processingTime": 10**30}, flow, DAY)


@pytest.mark.parametrize("attempts", [1, 2, 10])
@pytest.mark.parametrize("poll_seconds", [1, 60, 3_000, None])
def test_longest_polling(poll_seconds: int | None, attempts: int) -> None:
    """Polling waits no longer than an execution's operations last, and points to EventBridge."""
    longest = longest_wait(poll_seconds, attempts)
    payload = {
        "pollSeconds": poll_seconds,
        "maxAttempts": attempts,
        "timeoutSeconds": longest,
        "processingTime": 0,
    }
    assert parsed(payload, Flow.POLLING, YEAR).timeout_seconds == longest
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload | {"timeoutSeconds": longest + 1}, Flow.POLLING, YEAR)
    assert refused.value.field == "timeoutSeconds"
    assert "EventBridge flow" in refused.value.expected
    assert "pollSeconds" in refused.value.expected


@pytest.mark.parametrize("poll_seconds", [1, None])
def test_default_of_polling(poll_seconds: int | None) -> None:
    """Without a timeout each attempt of polling waits as long as its share of checks lasts."""
    work = parsed({"pollSeconds": poll_seconds}, Flow.POLLING, YEAR)
    assert work.timeout_seconds == longest_wait(poll_seconds, attempts=3)


def test_eventbridge_waits_for_a_year() -> None:
    """The EventBridge flow, to which polling points, waits as long as the execution may."""
    payload = {"timeoutSeconds": YEAR - RESERVE, "maxAttempts": 1}
    assert parsed(payload, Flow.EVENTBRIDGE, YEAR).timeout_seconds == YEAR - RESERVE


@pytest.mark.parametrize("poll_seconds", [1, 3_000])
def test_interval_at_its_bounds(poll_seconds: int) -> None:
    """The interval may be 1 to 3,000 seconds."""
    assert parsed({"pollSeconds": poll_seconds}, Flow.POLLING, DAY).poll_seconds == poll_seconds


@EACH_FLOW
@pytest.mark.parametrize("exit_code", [0, 255])
def test_simulated_exit_code_at_its_bounds(flow: Flow, exit_code: int) -> None:
    """A failure may be asked for with any exit code that a process can have."""
    told = parsed({"simulate": {"exitCode": exit_code}}, flow, DAY).job.environment
    assert json.loads(told["SIMULATE"]) == {"exitCode": exit_code}


def test_longest_timeout_of_the_dynamodb_flow() -> None:
    """The DynamoDB flow's timeout may be as long as the longest execution: 366 days."""
    assert parsed({"timeoutSeconds": YEAR}, Flow.DYNAMODB, DAY).timeout_seconds == YEAR
    with pytest.raises(InvalidRequestError, match=f"timeoutSeconds: expected at most {YEAR} s"):
        parsed({"timeoutSeconds": YEAR + 1}, Flow.DYNAMODB, DAY)


def test_timeout_beyond_the_calendar() -> None:
    """A timeout whose deadline no calendar holds is refused, although nobody waits for it."""
    with pytest.raises(InvalidRequestError, match="timeoutSeconds"):
        parsed({"timeoutSeconds": 10**12}, Flow.DYNAMODB, DAY)
