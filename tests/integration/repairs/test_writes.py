"""Each conditional write says who has written: this call, an earlier one, or somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from adapters import clock
from adapters.errors import AwsBusyError
from core.flow import Flow
from core.outcome import FailedToStart, LearnedBy, Missing, SpotInterrupted, Succeeded
from core.record import Record, Status, UnreadableRecordError
from core.write import Write
from tests.integration.aws import hand, throttled
from tests.integration.conftest import values
from tests.integration.repairs.scene import MINUTE, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest

    from adapters.records import Records
    from tests.integration.aws import Aws
    from tests.integration.conftest import Counted
    from tests.integration.repairs.scene import Scene

TASK = "arn:aws:ecs:us-east-1:123456789012:task/demo-cluster/one"
LOST = SpotInterrupted(task_arn=TASK, exit_code=137, capacity="FARGATE_SPOT")
REFUSED = FailedToStart(detail="no room", transient=True)
FAILED = Status.FAILED

# Those that say when they wrote: a lost answer is known to be the call's own.
STAMPED: dict[str, Callable[[Records, Record], Write]] = {
    "back_off": lambda records, record: records.back_off(record, LOST),
    "started": lambda records, record: records.started(record, TASK),
    "report": lambda records, record: records.report(record, LOST),
    "close": lambda records, record: records.close(record, FAILED, LOST),
    "close without a task": lambda records, record: records.close(record, FAILED, REFUSED),
    "close_without_result": lambda records, record: records.close_without_result(
        record, FAILED, LOST
    ),
    "close_unreadable": lambda records, record: records.close_unreadable(
        UnreadableRecordError(record.to_item(), "spoilt"), Missing()
    ),
}
UNSTAMPED: dict[str, Callable[[Records, Record], Write]] = {
    "missed": lambda records, record: records.missed(record),
    "found_again": lambda records, record: records.found_again(record),
    "expire_stray": lambda records, record: records.expire_stray(record.execution_id),
}
WRITES = {**STAMPED, **UNSTAMPED}
# Those that give a record its task, and those that end an attempt.
STARTS = {"started", "report", "close", "close_without_result"}
ENDS = {"back_off", "close", "close without a task", "close_without_result"}
FAILURES = {"close", "close without a task", "close_without_result", "close_unreadable"}


def place(scene: Scene, name: str, flow: Flow) -> Record:
    """Store a record, or what else there is instead, as the write of that name may find it."""
    record = scene.begin(flow)
    if name == "found_again":
        scene.put(replace(record, missing_since=record.created_at))
    if name == "close_unreadable":
        scene.put(record, deadline="soon")
    if name == "expire_stray":
        only = {"executionId": record.execution_id, "result": '"made up"'}
        scene.put(record, **{**dict.fromkeys(record.to_item()), **only})
    return record


@pytest.mark.parametrize("flow", Flow)
@pytest.mark.parametrize("name", WRITES)
def test_repeated(scene: Scene, counted: Counted, name: str, flow: Flow) -> None:
    """A write that is repeated finds what it would write; it changes nothing and counts nothing."""
    record = place(scene, name, flow)
    assert WRITES[name](scene.records, record) is Write.WRITTEN
    written, told = scene.aws.item(), list(counted)
    scene.pass_time(MINUTE)
    assert WRITES[name](scene.records, record) is Write.ALREADY
    assert scene.aws.item() == written
    assert counted == told


def lose_answers(aws: Aws, tries: int = 1) -> None:
    """Let each write that takes effect be unanswered in its first tries."""
    left: dict[int, int] = {}

    def lose(request: AWSPreparedRequest, **_: object) -> None:
        call = len(aws.calls["UpdateItem"])
        if call not in left and tries:
            try:
                hand("dynamodb").update_item(**aws.calls["UpdateItem"][-1])
            except ClientError:
                # The write is refused, now and when it is tried in a moment.
                left[call] = 0
                return
            left[call] = tries
        if left.get(call):
            left[call] -= 1
            raise ConnectionClosedError(endpoint_url=request.url)

    aws.on("before-send", "dynamodb.UpdateItem", lose, first=True)


@pytest.mark.parametrize("name", WRITES)
def test_lost_answer(aws: Aws, scene: Scene, counted: Counted, name: str) -> None:
    """A write whose first try was unanswered is its own, and counts, where the record says so."""
    record = place(scene, name, Flow.EVENTBRIDGE)
    lose_answers(aws)
    expected = Write.WRITTEN if name in STAMPED else Write.ALREADY
    assert WRITES[name](scene.records, record) is expected
    assert len(values(counted, "TasksStarted")) == (name in STARTS)
    assert len(values(counted, "AttemptsEnded")) == (name in ENDS)
    assert len(values(counted, "ExecutionsFailed")) == (name in FAILURES)


@pytest.mark.parametrize("name", STAMPED)
def test_unanswered(aws: Aws, scene: Scene, counted: Counted, name: str) -> None:
    """A write that is made counts once, though DynamoDB answers none of its tries."""
    record = place(scene, name, Flow.EVENTBRIDGE)
    lose_answers(aws, tries=9)
    assert STAMPED[name](scene.records, record) is Write.WRITTEN
    assert len(values(counted, "TasksStarted")) == (name in STARTS)
    assert len(values(counted, "AttemptsEnded")) == (name in ENDS)
    assert len(values(counted, "ExecutionsFailed")) == (name in FAILURES)


@pytest.mark.parametrize("name", STAMPED)
def test_never_arrived(aws: Aws, scene: Scene, counted: Counted, name: str) -> None:
    """A write whose tries never arrive raises an error, changes nothing and counts nothing."""
    record = place(scene, name, Flow.EVENTBRIDGE)
    stored = aws.item()
    aws.answer_with("dynamodb.UpdateItem", *throttled(1))
    with pytest.raises(AwsBusyError):
        STAMPED[name](scene.records, record)
    assert aws.item() == stored
    assert not counted


@pytest.mark.parametrize("tries", [0, 1, 9], ids=["answered", "one lost", "unanswered"])
@pytest.mark.parametrize("attempt", [1, 2])
def test_further_launch(aws: Aws, scene: Scene, counted: Counted, attempt: int, tries: int) -> None:
    """A launch that follows a refused one counts the refusal once, in each attempt."""
    last = LOST.to_dict() if attempt > 1 else None
    stored = scene.begin(Flow.POLLING, attempt=attempt, launch=1, last_outcome=last)
    # An execution does not know what the record has stored.
    further = replace(stored, launch=2, status=Status.PENDING, last_outcome=None)
    lose_answers(aws, tries=tries)
    assert scene.records.prepare(further).launch == 2
    assert values(counted, "LaunchesRefused") == [1]
    assert scene.records.prepare(further).launch == 2
    assert values(counted, "LaunchesRefused") == [1]


def test_further_launch_that_cannot_be_read(aws: Aws, scene: Scene, counted: Counted) -> None:
    """A launch that was written but not read back counts the refused one before it."""
    stored = scene.begin(Flow.POLLING, launch=1)
    further = replace(stored, launch=2, status=Status.PENDING)
    aws.answer_with("dynamodb.GetItem", *throttled(1))
    with pytest.raises(AwsBusyError):
        scene.records.prepare(further)
    assert values(counted, "LaunchesRefused") == [1]
    assert scene.records.prepare(further).launch == 2
    assert values(counted, "LaunchesRefused") == [1]


@pytest.mark.parametrize("is_lost", [True, False])
@pytest.mark.parametrize("name", sorted(STARTS - {"started"}))
def test_task_that_another_has_named(
    aws: Aws, scene: Scene, counted: Counted, name: str, *, is_lost: bool
) -> None:
    """A task that was named after the record was read counts once, answered or not."""
    record = scene.begin()
    scene.records.started(record, TASK)
    if is_lost:
        lose_answers(aws)
    assert WRITES[name](scene.records, record) is Write.WRITTEN
    assert values(counted, "TasksStarted") == [1]


@pytest.mark.parametrize("is_lost", [True, False])
def test_task_that_its_end_has_named(
    aws: Aws, scene: Scene, counted: Counted, *, is_lost: bool
) -> None:
    """A task whose end is reported before its start counts once, and its record says RUNNING."""
    record = scene.begin()
    scene.records.report(record, LOST)
    if is_lost:
        lose_answers(aws)
    assert scene.records.started(record, TASK).holds
    assert scene.stored(record).status is Status.RUNNING
    assert values(counted, "TasksStarted") == [1]


def test_same_moment(scene: Scene, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """One alone writes and counts an end that several learn within a millisecond."""
    record, now = scene.begin(), clock.now()
    task_arn = scene.launch(record)
    monkeypatch.setattr(clock, "now", lambda: now)
    end = Succeeded(task_arn=task_arn, exit_code=0)
    ends = [end.learned(by, now) for by in LearnedBy]
    writes = [scene.records.close(record, Status.COMPLETED, each) for each in [*ends, *ends]]
    assert writes == [Write.WRITTEN, *[Write.ALREADY] * 5]
    assert scene.records.started(record, task_arn) is Write.ALREADY
    assert [values(counted, name) for name in ("TasksStarted", "AttemptsEnded")] == [[1], [1]]


@pytest.mark.parametrize("name", WRITES)
def test_moved_on(scene: Scene, name: str) -> None:
    """A write that finds something else, or nothing, changes nothing and says so."""
    record = scene.begin(missing_since="2026-03-02T09:00:00.000Z")
    others = {
        "close_unreadable": replace(record, execution_arn="arn:of:another"),
        "expire_stray": record,
    }
    other = others.get(name, replace(record, attempt=3))
    scene.put(other)
    assert WRITES[name](scene.records, record) is Write.MOVED_ON
    assert scene.stored(record) == other
    hand("dynamodb").delete_item(TableName=TABLE, Key={"executionId": {"S": record.execution_id}})
    assert WRITES[name](scene.records, record) is Write.MOVED_ON
    assert not scene.aws.items()


@pytest.mark.parametrize("name", ["close", "close_without_result"])
def test_closed_by_somebody_else(scene: Scene, name: str) -> None:
    """A close that finds the record closed with another end changes nothing."""
    record = scene.begin()
    told: dict[str, Any] = {"status": FAILED, "outcome": REFUSED}
    assert scene.records.close(record, **told) is Write.WRITTEN
    closed = scene.aws.item()
    assert WRITES[name](scene.records, record) is Write.MOVED_ON
    assert scene.aws.item() == closed


@pytest.mark.parametrize("name", ["close", "close without a task", "close_without_result"])
def test_attempt_that_begins_meanwhile(scene: Scene, name: str) -> None:
    """A close that read the record between two attempts closes no attempt that has begun since."""
    seen = scene.between(Flow.POLLING)
    begun = scene.records.prepare(replace(seen, launch=1, status=Status.PENDING))
    assert WRITES[name](scene.records, seen) is Write.MOVED_ON
    assert scene.stored(seen) == begun
    assert WRITES[name](scene.records, begun) is Write.WRITTEN
    [kept] = scene.stored(seen).attempts
    assert kept["attempt"] == 2


@pytest.mark.parametrize("name", ["close", "close without a task", "close_without_result"])
def test_close_between_two_attempts(scene: Scene, name: str) -> None:
    """A record that is closed between two attempts keeps the first, not the one never begun."""
    first = {"attempt": 1, "kind": "SpotInterrupted", "taskArn": TASK}
    record = scene.between(attempts=(first,))
    assert WRITES[name](scene.records, record) is Write.WRITTEN
    assert scene.stored(record).attempts == (first,)
