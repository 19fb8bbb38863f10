from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.gateway import Seams
from tests.faults.history import History
from tests.faults.invariants import End, violations
from tests.faults.scenario import Scenario

RESULT = {"answer": 42}
TASK = {
    "taskArn": "arn:1",
    "startedBy": "stack/one/1",
    "lastStatus": "STOPPED",
    "createdAt": 1,
    "executionStoppedAt": 2,
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "stoppedAt": 3,
    "launchType": "FARGATE",
    "containers": [{"name": "guard"}, {"name": "worker", "exitCode": 0}],
}
RETURNED = {"taskArn": "arn:1", "result": RESULT}
ENTRY = {"attempt": 1, "kind": "Succeeded", "taskArn": "arn:1"}
ENDED: dict[str, Any] = {"expiresAt": 3, "attempt": 1, "launch": 1, "attempts": [ENTRY]}
ENDED["executionId"] = "one"
RESULTS, ON_SPOT = "s3://bucket/results/one/", {"taskArn": "arn:1", "capacity": "SPOT"}
CLOSED = {**ENDED, "status": "COMPLETED", "result": json.dumps(RESULT)}
FAILED = {**ENDED, "status": "FAILED", "error": {"kind": "ApplicationFailed"}}
BETWEEN = {**CLOSED, "attempt": 2, "launch": 0}
GOOD = End(
    execution={"Status": "SUCCEEDED", "Result": json.dumps(RETURNED)},
    record=CLOSED,
    tasks=[TASK],
    callbacks=["CallbackStarted", "CallbackSucceeded"],
)
SCENARIO = Scenario("eventbridge", "exit 0")


UNTOLD = Scenario("eventbridge", "never told as ended")
TIMED_OUT = {
    **TASK,
    "startedAt": 1,
    "stopCode": "UserInitiated",
    "stoppedReason": "durable-task/TimedOut: The task was stopped at its timeout",
    "containers": [{"name": "worker"}],
}


def failed(**data: Any) -> dict[str, Any]:
    """Return a failed execution."""
    return {"Status": "FAILED", "Error": {"ErrorData": json.dumps(data)}}


def test_good_end() -> None:
    """An end at which everything is as it should be violates nothing."""
    assert violations(SCENARIO, GOOD) == []
    assert violations(SCENARIO, replace(GOOD, record=BETWEEN)) == []
    told = {**CLOSED, **ON_SPOT, "resultUri": f"{RESULTS}1-0/", "capacity": "ON_DEMAND"}
    returned = json.dumps({**RETURNED, "resultUri": told["resultUri"]})
    execution = {"Status": "SUCCEEDED", "Result": returned}
    assert violations(SCENARIO, replace(GOOD, record=told, execution=execution)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"execution": {"Status": "RUNNING"}}, "the execution is RUNNING"),
        ({"execution": {"Status": "TIMED_OUT"}}, "the execution is TIMED_OUT"),
        ({"execution": {"Status": "STOPPED"}}, "the execution is STOPPED"),
        ({"execution": failed(kind="TimedOut")}, "the error says"),
        ({"execution": failed()}, "the error has no kind"),
        ({"record": {**CLOSED, "open": "OPEN"}}, "the record is open"),
        ({"record": {**CLOSED, "status": "RUNNING"}}, "the record is closed RUNNING"),
        ({"record": {k: v for k, v in CLOSED.items() if k != "expiresAt"}}, "does not expire"),
        ({"record": {**ENDED, "status": "COMPLETED"}}, "result is lost"),
        ({"record": {**ENDED, "status": "FAILED"}}, "does not say why"),
        ({"record": {**CLOSED, "attempts": []}}, "1 attempts have ended, the record keeps []"),
        ({"record": {**CLOSED, "attempts": [ENTRY, ENTRY]}}, "1 attempts have ended"),
        ({"record": {**CLOSED, "attempt": 2}}, "2 attempts have ended"),
        ({"record": {**BETWEEN, "attempts": [ENTRY, {"attempt": 2}]}}, "1 attempts have ended"),
        (
            {
                "record": {
                    **CLOSED,
                    "attempt": 2,
                    "attempts": [{"attempt": 1}, {**ENTRY, "attempt": 2}],
                }
            },
            "is another attempt's",
        ),
        ({"record": FAILED}, "the last task succeeded"),
        ({"record": {**CLOSED, "result": "43"}}, "the record's (43"),
        ({"record": {**CLOSED, "resultUri": f"{RESULTS}2-0/"}}, "is another attempt's"),
        ({"record": {**CLOSED, **ON_SPOT}}, "a task ran on FARGATE, its launch was for SPOT"),
        ({"record": {}}, "a task without a record"),
        ({"tasks": []}, "the last task ended as None"),
        ({"tasks": [{**TASK, "lastStatus": "RUNNING"}]}, "a task is RUNNING"),
        ({"tasks": [TASK, TASK]}, "2 tasks of stack/one/1"),
        ({"tasks": [TASK, {**TASK, "startedBy": "stack/one/2"}]}, "two tasks at a time"),
        (
            {"tasks": [{**TASK, "containers": [{"name": "worker", "exitCode": 3}]}]},
            "the last task ended as",
        ),
        (
            {"tasks": [TASK, {**TASK, "startedBy": "stack/one/2", "createdAt": 4}]},
            "a second task after finished work",
        ),
        ({"tasks": [{**TASK, "stoppedAt": 40_000}]}, "a task has taken 39999 s"),
        ({"tasks": [{**TASK, "taskArn": "arn:2"}]}, "not the last task's"),
        ({"callbacks": ["CallbackStarted"]}, "a callback was not answered"),
        ({"callbacks": ["CallbackStarted", "CallbackTimedOut"]}, "a callback was not answered"),
    ],
)
def test_bad_end(changes: dict[str, Any], said: str) -> None:
    """The invariants report every fault of an end."""
    assert said in "; ".join(violations(SCENARIO, replace(GOOD, **changes)))


def test_result_of_a_timeout() -> None:
    """A result that was handed over before a timeout is in the record, and in the error's data."""
    error = {"kind": "TimedOut", "taskArn": "arn:1", "exitCode": None}
    good = End(
        execution=failed(**error, result=RESULT),
        record={**ENDED, "status": "FAILED", "error": error, "result": json.dumps(RESULT)},
        tasks=[TIMED_OUT],
        callbacks=["CallbackStarted", "CallbackTimedOut"],
    )
    assert violations(UNTOLD, good) == []
    assert (
        "the error's result is (None"
        in violations(UNTOLD, replace(good, execution=failed(**error)))[0]
    )
    lost = {name: value for name, value in good.record.items() if name != "result"}
    assert "is lost" in violations(UNTOLD, replace(good, record=lost))[0]
    late = replace(UNTOLD, throttled=True)
    assert violations(late, replace(good, execution=failed(**error), record=lost)) == []


def test_last_word_on_a_start() -> None:
    """A stopped start may count as a timeout only after a death or a throttle."""
    error = {"kind": "TimedOut", "taskArn": "arn:1", "exitCode": None}
    hung = End(
        execution=failed(**error),
        record={**ENDED, "status": "FAILED", "error": error},
        tasks=[{name: value for name, value in TIMED_OUT.items() if name != "startedAt"}],
        callbacks=["CallbackStarted", "CallbackTimedOut"],
    )
    hangs = Scenario("eventbridge", "hangs", "none")
    assert violations(replace(hangs, throttled=True), hung) == []
    said = "; ".join(violations(hangs, hung))
    assert "the last task ended as Truth(kind='FailedToStart'" in said
    assert "1 tasks, not 2" in said
    limited = replace(hangs, events="as they are", throttled=True)
    assert "a callback was not answered" in violations(limited, hung)[0]


def test_work_refused_for_too_long() -> None:
    """A task whose calls are refused until its time is over may time out, and at no other time."""
    error = {"kind": "TimedOut", "taskArn": "arn:1", "exitCode": None}
    told = {**error, "learnedAt": "2026-01-05T09:20:01.000Z"}
    stopped = {**TIMED_OUT, "containers": [{"name": "worker", "exitCode": 143}]}
    record = {**ENDED, "status": "FAILED", "error": error, "lastOutcome": told}
    late = End(
        execution=failed(**error),
        record={**record, "deadline": "2026-01-05T09:20:00.000Z"},
        tasks=[stopped],
        callbacks=["CallbackStarted", "CallbackTimedOut"],
    )
    hangs = Scenario("eventbridge", "hangs", "none", throttled=True)
    assert violations(hangs, late) == []
    assert violations(replace(hangs, throttled=False), late)
    early = {**record, "deadline": "2026-01-05T09:20:02.000Z"}
    assert violations(hangs, replace(late, record=early))
    assert violations(hangs, replace(late, tasks=[TASK]))


def test_launch_refused_for_too_long() -> None:
    """An execution may end without a task if it says so and was refused for very long only."""
    refused = replace(SCENARIO, throttled=True)
    record = {**FAILED, "error": {"kind": "Missing"}}
    lost = End(failed(kind="Missing"), record, [], ["CallbackStarted"])
    assert violations(refused, lost) == []
    late = {"kind": "FailedToStart", "detail": "The deadline had passed before a task was started"}
    assert violations(refused, replace(lost, record={**FAILED, "error": late})) == []
    refusal = {"kind": "FailedToStart", "detail": "no room"}
    assert violations(refused, replace(lost, record={**FAILED, "error": refusal}))
    assert violations(SCENARIO, lost)
    assert violations(refused, replace(lost, record=FAILED))
    assert violations(refused, replace(lost, execution=GOOD.execution))


def test_history_sees_no_half_of_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is looked at only while nobody writes it, for moto writes one attribute by one."""
    seams, seen = Seams(), []

    def get_item(*_: object) -> None:
        seen.append(seams.alone.locked())

    stack = SimpleNamespace(account="1", region="r", outputs={"CallbackTableName": "records"})
    backends = {"1": {"r": SimpleNamespace(get_item=get_item)}}
    monkeypatch.setattr("tests.faults.history.dynamodb_backends", backends)
    History(cast("Any", SimpleNamespace(stack=stack, seams=seams))).note("one")
    assert seen == [True]
