"""The reconciler's rule against the calls that it replaces, over all that one look may find."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from adapters import callbacks, clock, ecs, executions
from adapters.errors import AwsBusyError, AwsRefusedError
from adapters.settings import Settings
from adapters.telemetry import logger
from core.done import Done
from core.flow import Flow
from core.moment import timestamp
from core.outcome import (
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    Missing,
    Succeeded,
    TimedOut,
    stop_reason,
)
from core.record import Status
from core.write import Write
from ecs_events import closing
from ecs_events.reconciliation import Reconciliation
from ecs_events.tally import Tally
from tests.property.reconciliation_before import Reconciliation as Before
from tests.unit.core.tasks import OUT_OF_MEMORY, TASK_ARN, container, stopped
from tests.values import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adapters.records import Records
    from core.outcome import Outcome
    from core.record import Record

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SETTINGS = Settings("demo", "arn:cluster", "demo-callbacks", 30, "/ecs/demo", "worker", "no")
OTHER_ARN = TASK_ARN.replace("0f9d", "ffff")
BUSY = AwsBusyError("throttled")
REFUSED = AwsRefusedError("refused", "AccessDeniedException")


def ago(span: timedelta) -> str:
    """Return a moment before the look."""
    return timestamp(NOW - span)


STANDINGS = [
    (Status.PENDING, 1),
    (Status.RUNNING, 1),
    (Status.BACKOFF, 0),
    (Status.COMPLETED, 1),
    (Status.FAILED, 2),
]
# On both sides of each limit, and at it.
MISSING_SINCE = [None, ago(MINUTE), ago(2 * MINUTE)]
WRITTEN = [ago(span * MINUTE) for span in (1, 2, 5, 10)]
DEADLINES = [ago(-60 * MINUTE), ago(MINUTE), ago(2 * MINUTE)]
STATUSES = [None, "RUNNING", "SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT", "PAUSED", BUSY]
LAUNCHED = [None, TASK_ARN, BUSY]
REPORTED: list[Outcome | None] = [
    None,
    Succeeded(task_arn=TASK_ARN, exit_code=0),
    TimedOut(task_arn=TASK_ARN),
    Missing(task_arn=TASK_ARN),
    ApplicationFailed(task_arn=OTHER_ARN, exit_code=3),
]
REPORTED_WITHOUT: list[Outcome | None] = [
    None,
    FailedToStart(detail="no room", transient=True),
    Missing(),
    ApplicationFailed(task_arn=OTHER_ARN, exit_code=3),
]
RUNNING = {
    "taskArn": TASK_ARN,
    "lastStatus": "RUNNING",
    "desiredStatus": "RUNNING",
    "startedAt": "2026-03-02T11:00:00Z",
    "containers": [{"name": "worker"}],
}
STOPPING = {**RUNNING, "lastStatus": "STOPPING", "desiredStatus": "STOPPED"}
ENDS = [
    stopped(container(0)),
    stopped(container(3)),
    stopped(container(137, reason=OUT_OF_MEMORY)),
    stopped(container(None), stopCode="SpotInterruption"),
    stopped(container(None), stopCode="TaskFailedToStart", stoppedReason="CannotPullContainer"),
    stopped(container(143), stopCode="UserInitiated", stoppedReason="Task stopped by user"),
    stopped(container(143), stopCode="UserInitiated", stoppedReason=stop_reason(TimedOut())),
    stopped(container(0), stopCode="UserInitiated", stoppedReason=stop_reason(Cancelled())),
    stopped(container(None), stopCode="InfrastructureHealth"),
]
ENDED_AT = [None, ago(MINUTE), ago(2 * MINUTE), ago(30 * MINUTE)]


class Weather(NamedTuple):
    """What else may come in a look's way.

    Attributes:
        change: what somebody does to the record before it is read again.
        write: what each write comes to.
        is_open: whether a callback still takes an answer.
        stop: what StopTask raises.
        again: what ECS shows of the task when it is asked once more.
        told: how the execution itself says that its task ended.
    """

    change: str = "none"
    write: Write | Exception = Write.WRITTEN
    is_open: bool | Exception = True
    stop: Exception | None = None
    again: str = "same"
    told: bool = False


FAIR = Weather()
CHANGES = ("gone", "busy", "closed", "next attempt", "other task", "no task", "reported", "written")
WEATHERS = [
    *(Weather(change=change) for change in CHANGES),
    *(Weather(write=write) for write in (Write.ALREADY, Write.MOVED_ON, BUSY)),
    *(Weather(change=change, write=Write.MOVED_ON) for change in CHANGES),
    *(Weather(is_open=is_open) for is_open in (False, BUSY)),
    *(Weather(is_open=False, change=change) for change in CHANGES),
    *(Weather(is_open=False, write=write) for write in (Write.ALREADY, Write.MOVED_ON)),
    *(Weather(stop=stop) for stop in (BUSY, REFUSED)),
    *(Weather(again=again) for again in ("forgotten", "ended", "busy")),
    Weather(again="forgotten", stop=REFUSED),
    *(Weather(told=True, is_open=is_open) for is_open in (True, False)),
]


class State(NamedTuple):
    """What one look finds.

    Attributes:
        record: as first read.
        task: as DescribeTasks shows it.
        execution: what GetDurableExecution says, or why it says nothing.
        launched: likewise ListTasks.
        weather: what else may come in its way.
    """

    record: Record
    task: Mapping[str, Any] | None
    execution: str | Exception | None
    launched: str | Exception | None
    weather: Weather


def cores(draw: random.Random) -> Iterator[State]:
    """Yield all that a look may find; what cannot matter to a part of them is drawn."""

    def state(flow: Flow, standing: tuple[Status, int], last: Outcome | None, **more: Any) -> State:
        status, launch = standing
        execution, task = more.pop("execution"), more.pop("task", None)
        launched = more.pop("launched", draw.choice(LAUNCHED))
        drawn = {
            "missing_since": draw.choice(MISSING_SINCE),
            "updated_at": draw.choice(WRITTEN),
            "deadline": draw.choice(DEADLINES),
            "attempt": draw.choice([1, 2]),
            "result": draw.choice([None, '{"answer":42}']),
        }
        found = record(
            flow=flow,
            status=status,
            launch=launch,
            last_outcome=last.to_dict() if last else None,
            **{**drawn, **more},
        )
        return State(found, task, execution, launched, FAIR)

    flows = list(Flow)
    for flow, standing, missing, written, last, execution, launched in product(
        flows, STANDINGS, MISSING_SINCE, WRITTEN, REPORTED_WITHOUT, STATUSES, LAUNCHED
    ):
        times = {"missing_since": missing, "updated_at": written}
        yield state(flow, standing, last, execution=execution, launched=launched, **times)
    for flow, standing, missing, written, last, execution in product(
        flows, STANDINGS, MISSING_SINCE, WRITTEN, REPORTED, STATUSES
    ):
        times = {"missing_since": missing, "updated_at": written, "task_arn": TASK_ARN}
        yield state(flow, standing, last, execution=execution, **times)
    for flow, standing, missing, deadline, last, execution, task in product(
        flows, STANDINGS, MISSING_SINCE, DEADLINES, REPORTED, STATUSES, [RUNNING, STOPPING]
    ):
        times = {"missing_since": missing, "deadline": deadline, "task_arn": TASK_ARN}
        yield state(flow, standing, last, execution=execution, task=task, **times)
    for flow, standing, last, execution, end, at in product(
        flows, STANDINGS, REPORTED, STATUSES, ENDS, ENDED_AT
    ):
        task = {**end, "executionStoppedAt": at} if at else end
        yield state(flow, standing, last, execution=execution, task=task, task_arn=TASK_ARN)


def states() -> Iterator[State]:
    """Yield all that a look may find in fair weather, and in two others that are drawn."""
    draw = random.Random(14)  # noqa: S311 - no secret
    for state in cores(draw):
        for weather in (FAIR, *draw.sample(WEATHERS, 2)):
            yield state._replace(weather=weather)


def answered(answer: Any) -> Any:
    """Return an answer, or raise it."""
    if isinstance(answer, Exception):
        raise answer
    return answer


@dataclass
class World:
    """Everything outside of the logic: it answers by a state, and writes down what is asked.

    Attributes:
        state: by which it answers.
        calls: what was asked, with its arguments, in order.
    """

    state: State = field(init=False)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def did(self, *call: object) -> None:
        """Write a call down."""
        self.calls.append(call)

    def get(self, execution_id: str) -> Record | None:
        """Read the record again."""
        self.did("get", execution_id)
        found, change = self.state.record, self.state.weather.change
        end = ApplicationFailed(task_arn=TASK_ARN, exit_code=9).to_dict()
        changed: dict[str, Callable[[], Record | None]] = {
            "none": lambda: found,
            "gone": lambda: None,
            "busy": lambda: cast("Record", answered(BUSY)),
            "closed": lambda: replace(found, is_open=False),
            "next attempt": lambda: replace(found, attempt=found.attempt + 1, task_arn=None),
            "other task": lambda: replace(found, task_arn=OTHER_ARN),
            "no task": lambda: replace(found, task_arn=None),
            "reported": lambda: replace(found, last_outcome=end),
            "written": lambda: replace(
                found, status=Status.COMPLETED, result='"done"', updated_at=ago(timedelta(0))
            ),
        }
        return changed[change]()

    def __getattr__(self, name: str) -> Callable[..., Write]:
        """Return a write."""

        def write(*arguments: object) -> Write:
            self.did(name, *arguments)
            return cast("Write", answered(self.state.weather.write))

        return write

    def status(self, arn: str) -> str | None:
        """Tell the execution's status."""
        self.did("status", arn)
        return cast("str | None", answered(self.state.execution))

    def error_data(self, arn: str) -> str | None:
        """Tell what the execution says of its failure."""
        self.did("error_data", arn)
        if not self.state.weather.told:
            return None
        return '{"kind":"ApplicationFailed","executionId":"one","taskArn":"told","exitCode":7}'

    def find_task(self, *arguments: object) -> str | None:
        """Find the attempt's task by its name."""
        self.did("find_task", *arguments)
        return cast("str | None", answered(self.state.launched))

    def describe_task(self, *arguments: object) -> Mapping[str, Any] | None:
        """Show the task once more."""
        self.did("describe_task", *arguments)
        again = self.state.weather.again
        if again == "busy":
            raise BUSY
        if again == "forgotten":
            return None
        return ENDS[0] if again == "ended" else self.state.task

    def stop_task(self, *arguments: object) -> None:
        """Stop the task."""
        self.did("stop_task", *arguments)
        answered(self.state.weather.stop)

    def answer(self, *arguments: object) -> bool:
        """Answer a callback."""
        self.did("answer", *arguments)
        return bool(answered(self.state.weather.is_open))

    def evidence(self, *arguments: object) -> None:
        """Look for evidence."""
        self.did("evidence", *arguments)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Everything outside of the logic."""
    world = World()
    for module, name in (
        (executions, "status"),
        (executions, "error_data"),
        (ecs, "find_task"),
        (ecs, "describe_task"),
        (ecs, "stop_task"),
        (closing, "evidence"),
    ):
        monkeypatch.setattr(module, name, getattr(world, name))
    monkeypatch.setattr(callbacks, "succeed", world.answer)
    monkeypatch.setattr(callbacks, "fail", world.answer)
    monkeypatch.setattr(clock, "sleep", lambda seconds: world.did("sleep", seconds))
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(logger, "error", lambda *told, **more: world.did(told, more))
    return world


def played(
    logic: type[Reconciliation | Before], world: World, state: State
) -> tuple[Any, list[Any]]:
    """Return what a logic says that it did, and what it did."""
    world.state, world.calls = state, []
    run = logic(SETTINGS, cast("Records", world), Tally(lambda: 240.0))
    done: object
    try:
        done = run._repair(state.record, state.task)  # noqa: SLF001 - what is compared
    # Whatever it is, the other has to raise the same.
    except Exception as error:  # noqa: BLE001 - see above
        done = (type(error), str(error))
    return done, world.calls


def test_unchanged(world: World) -> None:
    """Whatever a look finds, the rule and its shell do what the calls before them did."""
    seen: Counter[Any] = Counter()
    for state in states():
        was = played(Before, world, state)
        assert played(Reconciliation, world, state) == was, state
        seen[was[0]] += 1
    assert seen.total() == 170_640
    others = (
        "ignored",
        "stopped: orphan",
        "expires",
        "closed: unreadable",
        "not settled",
        "left f",
    )
    assert {done for done in Done if not done.startswith(others)} <= seen.keys()
