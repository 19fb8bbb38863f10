from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from local.gateway import Kill
from local.journal import Line, TaskChange
from tests.e2e.user import User
from tests.faults.stage import fast_system
from tests.faults.strikes import Beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import Flow

WAITING: tuple[Flow, ...] = ("polling", "eventbridge")
FLOWS: tuple[Flow, ...] = (*WAITING, "dynamodb")
# In AWS's seconds.
RUNNING_FOR, LOOKS_EVERY = 6 * 3600, 3000


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """A user whose system runs on threads of this process, far faster than AWS."""
    with fast_system() as system:
        yield User(system)


@pytest.fixture(autouse=True)
def _mended(user: User) -> Iterator[None]:
    """Let nothing go wrong after the test."""
    yield
    user.system.seams.clear()


def records(user: User) -> list[dict[str, Any]]:
    """Return all records."""
    table = user.system.account.table(user.system.stack.outputs["CallbackTableName"])
    return list(table.scan()["Items"])


def at_once(function: Any, arguments: Any) -> list[Any]:
    """Call a function for each argument, some at a time."""
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(function, arguments))


def test_fifty_are_stopped(user: User) -> None:
    """Stopping fifty running executions leaves no task running and no record open."""
    flows = [WAITING[number % 2] for number in range(50)]
    begun = at_once(lambda flow: start_long(user, flow), flows)
    for arn in begun:
        user.wait(partial(is_running, user, arn))
    at_once(lambda arn: user.durable.stop_durable_execution(DurableExecutionArn=arn), begun)
    for record in at_once(user.closed, begun):
        assert (record["status"], record["error"]["kind"]) == ("FAILED", "Cancelled")
    user.wait(lambda: user.system.is_idle)
    assert {user.execution(arn)["Status"] for arn in begun} == {"STOPPED"}
    assert len(begun) == len({record["taskArn"] for record in map(user.record, begun)})


def start_long(user: User, flow: Flow) -> str:
    """Start an execution that goes on for long."""
    if flow == "eventbridge":
        return user.start(flow, processingTime=RUNNING_FOR)
    return user.start(flow, processingTime=RUNNING_FOR, pollSeconds=LOOKS_EVERY)


def is_running(user: User, arn: str) -> bool:
    """Whether an execution has started its task."""
    return user.record(arn).get("status") == "RUNNING"


@pytest.mark.parametrize("flow", FLOWS)
def test_all_events_are_lost(user: User, flow: Flow) -> None:
    """An execution and its record soon end as the task did, although every event is lost."""
    user.system.seams.delays = lambda _: []
    good = user.start(flow, message="unheard", processingTime=0)
    bad = user.start(flow, processingTime=0, simulate={"exitCode": 3})
    assert user.closed(good)["status"] == "COMPLETED"
    # One finds it within the grace, the next one ends it, and a third may be faster than this test.
    assert runs_since_the_end(user, good) <= 3
    assert user.closed(bad)["error"]["exitCode"] == 3
    if flow != "dynamodb":
        assert user.result(good)["outcome"] == "Succeeded"
        assert user.error(bad)["kind"] == "ApplicationFailed"


def runs_since_the_end(user: User, arn: str) -> int:
    """Count the reconciler's runs that have ended since an execution's task is STOPPED."""
    [task_arn] = user.tasks(arn)
    entries = user.system.journal.all()
    changes = ((n, entry) for n, entry in enumerate(entries) if isinstance(entry, TaskChange))
    end = max(n for n, change in changes if change.task_arn == task_arn)
    lines = (entry for entry in entries[end:] if isinstance(entry, Line))
    return sum('"Reconciled"' in line.text for line in lines)


@pytest.mark.parametrize("after", [False, True])
def test_sweep_dies(user: User, after: bool) -> None:
    """A reconciler that dies at each search for made-up items still repairs."""
    deaths: list[int] = []
    death = Beside(Kill(after=after), before=lambda: deaths.append(1))
    user.system.seams.delays = lambda _: []
    user.system.seams.inject(death, 1000, operation="Scan")
    user.wait(lambda: deaths)
    arn = user.start("eventbridge", processingTime=0)
    assert user.closed(arn)["status"] == "COMPLETED"
    seen = len(deaths)
    user.wait(lambda: len(deaths) > seen)


@pytest.mark.parametrize("flow", FLOWS)
def test_events_come_days_later(user: User, flow: Flow) -> None:
    """Events that come again after their idempotency entries have expired change nothing."""
    kept: list[dict[str, Any]] = []

    def keep(event: dict[str, Any]) -> list[float]:
        kept.append(event)
        return [0]

    user.system.seams.delays = keep
    arn = user.start(flow, processingTime=0)
    before, ended = user.closed(arn), user.ended(arn)
    user.wait(lambda: user.system.is_idle)
    forget(user)
    target = user.system.stack.outputs["TaskStateFunctionArn"]
    own = [event for event in kept if arn.rpartition("/")[2] in json.dumps(event)]
    assert len([event for event in own if event["source"] == "aws.ecs"]) >= 4
    for event in (event for event in own if event["source"] == "aws.ecs"):
        answer = user.durable.invoke(FunctionName=target, Payload=json.dumps(event))
        assert json.loads(answer["Payload"].read())["done"].startswith("ignored: ")
    assert (user.record(arn), user.execution(arn)) == (before, ended)


def forget(user: User) -> None:
    """Forget the events that were dealt with, as the idempotency table does after two days."""
    [name] = [
        properties["TableName"]
        for properties in user.system.stack.of_type("AWS::DynamoDB::Table").values()
        if "idempotency" in properties["TableName"]
    ]
    table = user.system.account.table(name)
    for item in table.scan()["Items"]:
        table.delete_item(Key={"id": item["id"]})


NOT_TEXT = st.integers() | st.booleans() | st.lists(st.text(), max_size=2)
NOT_SECONDS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda n: n % 1) | st.text()
DEEP = st.integers(1, 200).map(lambda depth: json.loads('{"x":' * depth + "1" + "}" * depth))
# Each is wrong by its making, whatever else the payload holds.
WRONG = st.one_of(
    st.fixed_dictionaries({"message": NOT_TEXT}),
    st.fixed_dictionaries({"message": st.text("é", min_size=1_400, max_size=3_000)}),
    st.fixed_dictionaries({"message": st.text("x", min_size=8_000, max_size=9_000)}),
    st.fixed_dictionaries({"message": st.sampled_from(["a\0b", "\0", "\ud800", "x\udfff"])}),
    st.fixed_dictionaries({"processingTime": NOT_SECONDS | st.integers(max_value=-1)}),
    st.fixed_dictionaries({"processingTime": st.integers(min_value=31_622_401)}),
    st.fixed_dictionaries({"timeoutSeconds": NOT_SECONDS | st.integers(max_value=0)}),
    st.fixed_dictionaries({"simulate": st.text() | DEEP | st.just({})}),
    st.fixed_dictionaries({"simulate": st.fixed_dictionaries({"exitCode": st.integers(256)})}),
    # Names that would reach the request, the container's environment or the record if they could.
    st.dictionaries(
        st.sampled_from(
            [
                *("overrides", "environment", "RECORD_TABLE", "command", "cluster", "startedBy"),
                *("taskDefinition", "executionId", "attempt", "open", "Message", "__proto__"),
            ]
        ),
        DEEP | st.text(),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.integers(), max_size=3),
    st.text(max_size=20),
    st.none(),
)


def test_bad_payloads(user: User) -> None:
    """Two hundred bad payloads: each is refused by a field's name; no record, no task."""
    payloads: list[Any] = []

    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(WRONG)
    def make(payload: Any) -> None:
        payloads.append(payload)

    make()
    tasks = {task.arn for task in user.system.tasks.all()}
    before = len(records(user))
    begun = at_once(
        lambda case: user.durable.invoke(
            FunctionName=user.function(FLOWS[case[0] % 3]),
            InvocationType="Event",
            Payload=json.dumps(case[1]),
        )["DurableExecutionArn"],
        enumerate(payloads),
    )
    assert len(begun) >= 200
    for payload, arn in zip(payloads, begun, strict=True):
        error = user.error(arn)
        assert {"field", "value", "expected"} == error.keys(), payload
        assert f"{error['field']}: expected " in user.execution(arn)["Error"]["ErrorMessage"]
    assert len(records(user)) == before
    assert {task.arn for task in user.system.tasks.all()} <= tasks


@pytest.mark.parametrize(
    "message",
    [
        "x\nRECORD_TABLE=other\nPATH=/tmp",
        '"}, {"name": "RECORD_TABLE", "value": "other',
        "$(reboot); `reboot` ${HOME} %s {0} {{x}}",
        "\u202e ᚠ 😀 ﷽ \u0085 \t\r\n",
    ],
)
def test_message_is_only_text(user: User, message: str) -> None:
    """A message of any form reaches the worker unchanged, and nothing else does."""
    result = user.result(user.start("eventbridge", message=message, processingTime=0))
    assert result["result"]["message"] == f"Processed: {message}"
