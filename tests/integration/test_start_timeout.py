from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.start import LAST_WORD_SECONDS
from local.ecs.state import TaskState
from tests.integration.attempts import SUCCESS, WAITING, mortal
from tests.integration.aws import PromptTask, error, throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Durable, Lines, Start

POLLING, EVENTBRIDGE = WAITING["polling"], WAITING["eventbridge"]
START = {"startTimeoutSeconds": 600}
# An attempt's own limit, in which its task never starts.
SHORT = {"timeoutSeconds": 300, "processingTime": 0}
WHEN = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


@pytest.fixture
def clock(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """The clock of a runner that skips waits, which is everybody's."""
    return attempts.share_clock(monkeypatch)


@pytest.fixture
def looks(aws: Aws, clock: Callable[[], float]) -> list[float]:
    """The moments at which a task is looked at."""
    moments: list[float] = []
    aws.at("ecs.DescribeTasks", lambda: moments.append(clock()))
    return moments


@pytest.fixture
def stops(aws: Aws, clock: Callable[[], float]) -> list[float]:
    """The moments at which a task is asked to stop."""
    moments: list[float] = []
    aws.at("ecs.StopTask", lambda: moments.append(clock()))
    return moments


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that do not stop as soon as they are asked to."""
    monkeypatch.setattr(PromptTask, "stop", TaskState.stop)


def created(aws: Aws, number: int = 0) -> float:
    """Return when ECS took a task, the first by default."""
    return float(aws.task(aws.tasks()[number]).detail["createdAt"].timestamp())


def late(execution: Durable, aws: Aws) -> None:
    """Let the time of the present attempt be over, where the execution does not look itself."""
    execution.time_out(aws.wait_for_record(lambda record: record.task_arn))


def stop_slowly(aws: Aws, asked: Sequence[object], looks: int = 5) -> None:
    """Let the first task have stopped at a look, some looks after it was asked to."""
    left = iter(range(looks))

    def look() -> None:
        if asked and next(left, None) is None:
            aws.task(aws.tasks()[0]).advance("STOPPED")

    aws.at("ecs.DescribeTasks", look)


def hand_over(aws: Aws) -> None:
    """Write a result as a worker does, after which no task may be started any more."""

    def refuse() -> None:
        raise AssertionError("The work is done again")

    aws.rewrite("SET #result = :result", result='"done"')
    aws.at("ecs.RunTask", refuse)


def assert_second(execution: Durable, attempts: Attempts) -> None:
    """The first task never ran, and the second does the work."""
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2
    kinds = [entry["kind"] for entry in attempts.aws.record().attempts]
    assert kinds == ["FailedToStart", "Succeeded"]
    assert len(attempts.run_task_calls()) == 2


def assert_timed_out(execution: Durable, attempts: Attempts) -> dict[str, Any]:
    """The work may have begun, so nothing is started in its place."""
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == ("TimedOut", 1)
    assert data["taskArn"] == attempts.aws.tasks()[0]
    assert len(attempts.run_task_calls()) == 1
    return data


@pytest.mark.parametrize("interval", [None, 7, 3_000])
def test_limit(
    aws: Aws, durable: Start, attempts: Attempts, stops: list[float], interval: int | None
) -> None:
    """Polling stops a task that does not start in its time, at that moment, and starts another."""
    execution = durable(POLLING, START | {"pollSeconds": interval})
    assert_second(execution, attempts)
    [stop] = stops
    # Looks at growing intervals would come 566 and 854 s after the first.
    assert 600 <= stop - created(aws) < 700
    [asked] = aws.calls["StopTask"]
    assert asked["reason"].startswith("durable-task/FailedToStart: The container had not started")


def test_start_in_time(aws: Aws, durable: Start, stops: list[float]) -> None:
    """A task that starts in its time may take its attempt's."""
    wait: list[Callable[[], None]] = [lambda: None] * 5
    aws.script(*wait, lambda: aws.task().advance("RUNNING"), *wait * 6, lambda: aws.exit(0))
    assert durable(POLLING, {"startTimeoutSeconds": 90}).result()["outcome"] == "Succeeded"
    assert stops == []


@pytest.mark.usefixtures("clock")
def test_start_at_the_last_moment(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A task that starts while polling stops it has timed out, and is not tried again."""
    aws.at("ecs.StopTask", lambda: aws.task().advance("RUNNING"))
    data = assert_timed_out(durable(POLLING, START), attempts)
    assert "had not started 600 s after ECS took the task" in data["detail"]
    assert data["startedAt"]


@pytest.mark.usefixtures("slow")
def test_slow_stop(aws: Aws, durable: Start, attempts: Attempts, stops: list[float]) -> None:
    """Polling looks on until ECS has stopped the task, and stops it once."""
    execution = durable(POLLING, START | {"pollSeconds": 3_000})
    stop_slowly(aws, stops)
    assert_second(execution, attempts)
    assert len(stops) == 1


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    "answer",
    [None, {"tasks": [], "failures": []}, throttled(1)[0], error("AccessDeniedException")],
    ids=["stopping", "unknown", "throttled", "refused"],
)
def test_no_last_word(
    aws: Aws, durable: Start, looks: list[float], stops: list[float], answer: dict[str, Any] | None
) -> None:
    """A stopped start has timed out if ECS does not say in two minutes how it ended."""
    aws.answer("ecs.DescribeTasks", lambda **_: answer if stops else None)
    _, data = durable(POLLING, START | {"pollSeconds": 3_000}).error()
    assert (data["kind"], data["taskArn"], data["attempt"]) == ("TimedOut", aws.task().arn, 1)
    assert "ECS has not shown how it ended" in data["detail"]
    # A call takes its time of those seconds.
    assert LAST_WORD_SECONDS / 2 < looks[-1] - stops[0] < 2 * LAST_WORD_SECONDS
    assert len(stops) == 1


def test_stop_that_is_throttled(
    aws: Aws, durable: Start, attempts: Attempts, stops: list[float]
) -> None:
    """A StopTask that ECS is too busy for is repeated soon, however far apart looks are."""
    aws.answer_with("ecs.StopTask", *throttled(3))
    assert_second(durable(POLLING, START | {"pollSeconds": 3_000}), attempts)
    assert len(stops) == 4
    assert stops[-1] - stops[0] < 300


@pytest.mark.usefixtures("clock")
def test_stop_that_is_refused(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A start that may not be stopped for ten minutes is given up, and not tried again."""
    aws.answer_with("ecs.StopTask", *[error("AccessDeniedException")] * 100)
    _, data = durable(POLLING, START).error()
    assert (data["kind"], data["attempt"]) == ("Missing", 1)
    assert len(attempts.run_task_calls()) == 1


@WHEN
@pytest.mark.usefixtures("clock")
def test_death_at_the_stop(durable: Start, attempts: Attempts, *, after: bool) -> None:
    """A polling function that dies at its StopTask goes on, and the task is stopped."""
    attempts.die("ecs.StopTask", 1, after=after)
    assert_second(durable(mortal()(POLLING), START), attempts)
    assert attempts.faults == 1


@pytest.mark.usefixtures("clock", "slow")
def test_death_at_a_slow_stop(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A polling function that dies after its StopTask waits for the task's end without another."""
    attempts.die("ecs.StopTask", 1, after=True)
    stopped = aws.calls.setdefault("StopTask", [])
    stop_slowly(aws, stopped)
    assert_second(durable(mortal()(POLLING), START), attempts)
    assert len(stopped) == 1


@pytest.mark.parametrize("flow", WAITING)
def test_timeout_of_a_start(
    aws: Aws, durable: Start, attempts: Attempts, stops: list[float], flow: str
) -> None:
    """An attempt whose task never ran until its timeout failed to start, and is tried again."""
    execution = durable(WAITING[flow], SHORT)
    late(execution, aws)
    assert_second(execution, attempts)
    assert len(stops) == 1
    assert aws.calls["StopTask"][0]["reason"].startswith("durable-task/TimedOut")


@pytest.mark.parametrize("flow", WAITING)
@pytest.mark.usefixtures("clock")
def test_timeout_at_the_start(aws: Aws, durable: Start, attempts: Attempts, flow: str) -> None:
    """An attempt whose task starts at its timeout has timed out."""
    aws.at("ecs.StopTask", lambda: aws.task().advance("RUNNING"))
    execution = durable(WAITING[flow], SHORT)
    late(execution, aws)
    assert assert_timed_out(execution, attempts)["startedAt"]


@pytest.mark.parametrize("flow", WAITING)
@pytest.mark.usefixtures("slow")
def test_timeout_of_a_start_that_stops_slowly(
    aws: Aws, durable: Start, attempts: Attempts, stops: list[float], flow: str
) -> None:
    """An attempt whose task never ran waits for ECS's word on it before there is another."""
    stop_slowly(aws, stops)
    execution = durable(WAITING[flow], SHORT)
    late(execution, aws)
    assert_second(execution, attempts)


@pytest.mark.parametrize("flow", WAITING)
@pytest.mark.usefixtures("slow")
def test_timeout_without_a_last_word(
    aws: Aws, durable: Start, attempts: Attempts, stops: list[float], flow: str
) -> None:
    """An attempt of whose task ECS does not say that it never ran has timed out."""
    execution = durable(WAITING[flow], SHORT)
    late(execution, aws)
    data = assert_timed_out(execution, attempts)
    assert "ECS has not shown how it ended" in data["detail"]
    assert data["createdAt"]
    assert len(stops) == 1


@pytest.mark.usefixtures("slow")
def test_result_of_a_start(
    aws: Aws, durable: Start, attempts: Attempts, stops: list[float]
) -> None:
    """Work that has handed over a result is not repeated, though ECS shows no start."""
    stop_slowly(aws, stops)
    execution = durable(EVENTBRIDGE, SHORT)
    record = aws.wait_for_record(lambda record: record.task_arn)
    hand_over(aws)
    execution.time_out(record)
    assert assert_timed_out(execution, attempts)["result"] == "done"
    assert aws.record().result == '"done"'


def test_result_of_a_start_that_failed(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """Work that has handed over a result is not repeated, though ECS says that it did not start."""
    execution = durable(EVENTBRIDGE, {})
    aws.wait_for_record(lambda record: record.task_arn)
    hand_over(aws)
    aws.task().fail("CannotPullContainerError: i/o timeout")
    aws.task().advance("STOPPED")
    aws.report()
    _, data = execution.error()
    assert (data["kind"], data["result"]) == ("Missing", "done")
    assert len(attempts.run_task_calls()) == 1


@pytest.mark.usefixtures("clock", "slow")
def test_operations(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """The wait for ECS's last word is an operation of its own, beside the one that stops."""
    execution = durable(EVENTBRIDGE, SHORT)
    late(execution, aws)
    assert_timed_out(execution, attempts)
    names = {operation.name for operation in execution.ended.get_all_operations()}
    assert names == {"task-end", "launch-task", "stop-task", "task-stopped", "close-record"}


@pytest.mark.usefixtures("clock", "slow")
def test_late_event(aws: Aws, durable: Start, attempts: Attempts, lines: Lines) -> None:
    """The event of a start that its execution has stopped is stored, then an old attempt's."""
    early: list[dict[str, Any]] = []

    def report() -> None:
        if aws.calls.get("StopTask") and not early:
            aws.task(aws.tasks()[0]).advance("STOPPED")
            early.append(aws.report(aws.tasks()[0]))

    aws.at("ecs.DescribeTasks", report)
    execution = durable(EVENTBRIDGE, SHORT)
    first = attempts.task(1)
    late(execution, aws)
    second = attempts.task(2)
    assert early == [{"done": "left alone: execution goes on"}]
    assert aws.report(first) == {"done": "ignored: stale attempt"}
    assert attempts.end(2, SUCCESS) == second
    assert execution.result()["taskArn"] == second
    assert "Task failed" not in lines.messages
