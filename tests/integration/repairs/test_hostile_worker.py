from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from core.done import Done
from core.evidence import console_link
from core.flow import Flow
from core.outcome import Cancelled
from core.record import Status
from core.reported import COLUMNS
from ecs_events.sweep import PARTS, PERIOD, sweep
from ecs_events.tally import Tally
from tests.integration.aws import TEMPLATE, hand
from tests.integration.repairs.scene import LATER, TABLE, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines
    from tests.integration.repairs.executions import Executions

FORGED = {
    "kind": {"S": "Succeeded"},
    "summary": {"S": "s" * 5_000},
    "detail": {"S": "d" * 5_000},
    "advice": {"L": [{"S": "a" * 5_000}]},
    "exitCode": {"N": "0.5"},
    "taskArn": {"S": "arn:forged"},
    "attempt": {"N": "7"},
    "logGroup": {"S": "/forged"},
    "logStream": {"S": "forged"},
    "consoleLink": {"S": "https://forged"},
    "logTail": {"L": [{"S": "forged"}]},
}
VALUES: dict[str, dict[str, Any]] = {
    **{status: {"S": status} for status in Status},
    "text": {"S": "x"},
    "no text": {"S": ""},
    "half a character": {"S": r'"\ud800"'},
    "control characters": {"S": "\x1b[2J\x00\n"},
    "another ticket": {"S": "0" * 32},
    "number": {"N": "9.9E+125"},
    "small number": {"N": "-1E-130"},
    "binary": {"B": b"\xff"},
    "boolean": {"BOOL": True},
    "null": {"NULL": True},
    "texts": {"SS": ["b", "a"]},
    "numbers": {"NS": ["2", "1"]},
    "binaries": {"BS": [b"\xff", b"x"]},
    "list": {"L": [{"L": [{"NULL": True}]}]},
    "map": {"M": {}},
    "forged": {"M": FORGED},
}
# Nearly all of an item's 400 KB, and more than there is room for.
_LARGE, _TOO_LARGE = 399_000, 409_600


@dataclass(frozen=True, slots=True)
class Attack:
    """A worker's write into a record that is not its own.

    Attributes:
        column: that it may write.
        value: as DynamoDB has it; None removes the column, a number fills the item.
    """

    column: str
    value: Mapping[str, Any] | None

    def strike(self, record: Record) -> None:
        """Write, as the task's role may."""
        change: dict[str, Any] = {"UpdateExpression": "REMOVE #column"}
        if self.value is not None:
            change = {"UpdateExpression": "SET #column = :value"}
            change["ExpressionAttributeValues"] = {":value": self.value}
        hand("dynamodb").update_item(
            TableName=TABLE,
            Key={"executionId": {"S": record.execution_id}},
            ExpressionAttributeNames={"#column": self.column},
            **change,
        )


ATTACKS = [
    *(Attack(column, value) for column, value in product(COLUMNS, [None, *VALUES.values()])),
    *(Attack(column, {"S": "x" * _LARGE}) for column in COLUMNS),
]
# Those that mean something to somebody.
SHARP = [
    *(Attack("status", {"S": status}) for status in Status),
    *(Attack(column, {"M": FORGED}) for column in COLUMNS),
    *(Attack(column, None) for column in COLUMNS),
    *(Attack(column, {"S": "x" * _LARGE}) for column in COLUMNS),
]
# A neighbour's record, before, while and after its task runs.
MOMENTS: dict[str, Callable[[Scene, Flow], Record]] = {
    "launching": lambda scene, flow: scene.begin(flow, ticket="1" * 32),
    "running": lambda scene, flow: scene.running(flow, ticket="1" * 32),
    "backing off": lambda scene, flow: scene.between(flow),
}
EACH_FLOW = pytest.mark.parametrize("flow", Flow)
EACH_MOMENT = pytest.mark.parametrize("moment", MOMENTS)
WAITING = [Flow.POLLING, Flow.EVENTBRIDGE]


def attacked(
    scene: Scene, moment: str, flow: Flow, attacks: Sequence[Attack] = SHARP
) -> list[Record]:
    """Return a neighbour for each attack, which has met it."""
    records = []
    for attack in attacks:
        record = MOMENTS[moment](scene, flow)
        attack.strike(record)
        records.append(record)
    return records


def filled(record: Record) -> Record:
    """Fill a record up to its last bytes: fewer than a task's ARN has.

    Moto wants room for what a write adds before it takes away what the write removes: some is left.
    """
    Attack("progress", {"S": "x" * 20}).strike(record)
    for size in range(_TOO_LARGE, _LARGE, -50):
        with suppress(ClientError):
            Attack("result", {"S": "x" * size}).strike(record)
            Attack("progress", None).strike(record)
            return record
    raise AssertionError("no result was small enough")


def expires(scene: Scene, record: Record) -> bool:
    """Whether a record is closed for good, with an expiry."""
    item = scene.aws.stored(record.execution_id)
    return "open" not in item and "expiresAt" in item and "ticket" not in item


def test_columns() -> None:
    """The columns tried by these tests are those that the template lets a worker write."""
    policy = TEMPLATE.of_type("AWS::IAM::ManagedPolicy")["WorkerPolicy"]
    assert set(COLUMNS) == set(_named(policy)) - {"executionId"}


def _named(policy: dict[str, Any]) -> list[str]:
    [statement] = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "dynamodb:UpdateItem"
    ]
    return list(statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"])


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_running_neighbour(scene: Scene, flow: Flow) -> None:
    """A neighbour whose execution and task go on is left alone, whatever is in its record."""
    records = attacked(scene, "running", flow, ATTACKS)
    for _ in range(2):
        assert scene.reconcile() == {"running": len(records)}
        scene.pass_time(LATER)
    assert scene.stops() == []
    for record in records:
        stored = scene.stored(record)
        assert (stored.task_arn, stored.is_open) == (record.task_arn, True)


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_launch_that_goes_on(scene: Scene, flow: Flow) -> None:
    """A task whose record was spoilt before it was written down is found and kept."""
    records = attacked(scene, "launching", flow)
    records.append(filled(scene.begin(flow, ticket="1" * 32)))
    tasks = [scene.launch(record) for record in records]
    assert scene.reconcile() == {"adopted": len(records)}
    assert [scene.stored(record).task_arn for record in records] == tasks
    assert scene.stops() == []


@pytest.mark.parametrize("flow", WAITING)
@EACH_MOMENT
def test_execution_that_was_stopped(
    scene: Scene, executions: Executions, flow: Flow, moment: str
) -> None:
    """The record of an execution that was stopped is closed at once, and its own task stopped."""
    records = attacked(scene, moment, flow)
    for record in records:
        executions.set(record, "STOPPED")
    assert scene.reconcile() == {"abandoned: execution STOPPED": len(records)}
    assert set(scene.stops()) == {record.task_arn for record in records if record.task_arn}
    for record in records:
        stored = scene.stored(record)
        assert expires(scene, record)
        assert stored.status is Status.FAILED
        told = {name: (stored.error or {})[name] for name in ("kind", "taskArn", "attempt")}
        own = (Cancelled.__name__, record.task_arn, record.attempt)
        assert tuple(told.values()) == own


@EACH_FLOW
@pytest.mark.parametrize("code", [0, 3])
def test_task_that_ended(scene: Scene, executions: Executions, flow: Flow, code: int) -> None:
    """A task's end is told and its record closed, once its execution has ended too."""
    records = attacked(scene, "running", flow)
    for record in records:
        scene.end(record.task_arn, code)
    scene.reconcile()
    if flow is Flow.EVENTBRIDGE:
        assert {executions.answer(r).outcome.task_arn for r in records} == {
            record.task_arn for record in records
        }
    for record in records:
        # A result that is too large fails the execution that waits for it.
        waits = flow is Flow.EVENTBRIDGE
        succeeded = executions.answer(record).outcome.succeeded if waits else code == 0
        status = "SUCCEEDED" if succeeded or flow is Flow.DYNAMODB else "FAILED"
        executions.set(record, status)
    for _ in range(2):
        scene.pass_time(LATER)
        scene.reconcile()
    assert all(expires(scene, record) for record in records)
    assert scene.stops() == []
    if flow is Flow.POLLING:
        wanted = Status.FAILED if code else Status.COMPLETED
        stored = [scene.stored(record) for record in records]
        assert {(record.status, record.result) for record in stored} == {(wanted, None)}


@EACH_FLOW
def test_task_that_is_forgotten(scene: Scene, executions: Executions, flow: Flow) -> None:
    """A record whose task ECS has forgotten is closed, once its execution has ended too."""
    records = attacked(scene, "running", flow)
    for record in records:
        scene.aws.forget(record.task_arn)
        executions.set(record, "SUCCEEDED" if flow is Flow.DYNAMODB else "TIMED_OUT")
    for _ in range(3):
        scene.reconcile()
        scene.pass_time(LATER)
    assert all(expires(scene, record) for record in records)


@EACH_FLOW
def test_error_is_the_stacks_own(
    scene: Scene, executions: Executions, lines: Lines, flow: Flow
) -> None:
    """No attack changes kind, task, attempt or evidence of an error, nor makes its words long."""
    records = attacked(scene, "running", flow, ATTACKS)
    for record in records:
        scene.end(record.task_arn, 3)
        executions.set(record, "SUCCEEDED" if flow is Flow.DYNAMODB else "FAILED")
    for _ in range(3):
        scene.reconcile()
        scene.pass_time(LATER)
    stored = [scene.stored(record) for record in records]
    failed = {record.execution_id: record for record in stored if record.status is Status.FAILED}
    told = {
        vars(line)["executionId"]: vars(line)["error"]
        for line in lines.records
        if line.getMessage() == "Task failed"
    }
    assert len(failed) >= len(ATTACKS) - 1
    assert told.keys() == failed.keys()
    for key, record in failed.items():
        for error in (record.error or {}, told[key]):
            assert error["kind"] == "ApplicationFailed"
            assert (error["taskArn"], error["attempt"]) == (record.task_arn, record.attempt)
            assert error["consoleLink"] == console_link(record.task_arn or "")
            assert error["logStream"].endswith((record.task_arn or "").rpartition("/")[2])
            assert (error["exitCode"], error["logTail"]) == (3, [])
            lengths = [len(error[name]) for name in ("summary", "detail", "advice")]
            assert all(
                length <= most for length, most in zip(lengths, (1000, 2000, 1000), strict=True)
            )


@EACH_FLOW
@pytest.mark.parametrize("call", ["dynamodb.GetItem", "dynamodb.UpdateItem"])
def test_strike_at_each_call(
    aws: Aws, scene: Scene, executions: Executions, flow: Flow, call: str
) -> None:
    """A worker that strikes again before each call keeps no record open, and stops no task."""
    for attack in SHARP:
        record = scene.running(flow)
        scene.end(record.task_arn, 0)
        executions.set(record, "SUCCEEDED")
        struck = [attack] * 20

        def strike(struck: list[Attack] = struck, record: Record = record) -> None:
            # Moto takes no second value as large as the first in its place.
            with suppress(ClientError):
                if struck:
                    struck.pop().strike(record)

        aws.at(call, strike)
        for _ in range(4):
            if not expires(scene, record):
                scene.reconcile()
                scene.pass_time(LATER)
        struck.clear()
        assert not scene.stored(record).is_open, attack
    assert scene.stops() == []


def test_made_up_items(scene: Scene) -> None:
    """Items that a worker makes up are emptied and expire within a day; the run goes on."""
    made = [MOMENTS["launching"](scene, Flow.EVENTBRIDGE) for _ in range(20)]
    for record in made:
        hand("dynamodb").delete_item(
            TableName=TABLE, Key={"executionId": {"S": record.execution_id}}
        )
        Attack("result", {"S": "x" * 1_000}).strike(record)
    ours = [scene.running(), scene.begin(status=Status.FAILED, is_open=False, expires_at=1)]
    before = [scene.stored(record) for record in ours]
    first = scene.reconcile()
    assert first["running"] == 1
    # The runs of a day, as far as they look for such items.
    tally = Tally(lambda: 240)
    for _ in range(PARTS):
        scene.pass_time(PERIOD)
        sweep(scene.records, tally)
    assert first.get(Done.EXPIRES, 0) + tally.done[Done.EXPIRES] == len(made)
    for record in made:
        assert scene.aws.stored(record.execution_id).keys() == {"executionId", "expiresAt"}
    assert [scene.stored(record) for record in ours][1] == before[1]
