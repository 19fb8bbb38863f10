from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.outcome import (
    KINDS,
    NOT_FETCHED,
    ApplicationFailed,
    FailedToStart,
    InfrastructureLost,
    LearnedBy,
    OtherContainer,
    Outcome,
    Succeeded,
    TimedOut,
    from_dict,
    reclassified,
    stop_reason,
)
from core.outcome.kinds import HANDED_OVER, UNSEEN_START


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def outcome(request: pytest.FixtureRequest) -> Outcome:
    """An outcome of each type."""
    kind: type[Outcome] = request.param
    return kind(
        task_arn="arn",
        exit_code=3,
        created_at="2026-03-01",
        pull_started_at="2026-03-02",
        pull_stopped_at="2026-03-03",
        started_at="2026-03-04",
        stopping_at="2026-03-05",
        stopped_at="2026-03-06",
        capacity="FARGATE_SPOT",
        learned_by="check",
        learned_at="2026-03-07",
        detail="why",
        ended_by=OtherContainer(name="watchdog", exit_code=1),
    )


def test_kinds() -> None:
    """The outcome's name is its type's, and the names are those that are documented."""
    assert list(KINDS) == [
        "Succeeded",
        "ApplicationFailed",
        "OutOfMemory",
        "SpotInterrupted",
        "FailedToStart",
        "StoppedByUser",
        "TimedOut",
        "Cancelled",
        "InfrastructureLost",
        "Missing",
    ]
    assert all(kind().kind == name for name, kind in KINDS.items())


def test_only_one_succeeds(outcome: Outcome) -> None:
    """No type but Succeeded is a success."""
    assert outcome.succeeded is (outcome.kind == "Succeeded")


def test_tells(outcome: Outcome) -> None:
    """Each outcome says in sentences what happened and what to do."""
    assert outcome.summary.endswith(".")
    assert outcome.advice.endswith(".")


def test_to_dict(outcome: Outcome) -> None:
    """The JSON form has the documented fields, and is read back as the same outcome."""
    fields = json.loads(json.dumps(outcome.to_dict()))
    expected = {
        "kind": outcome.kind,
        "succeeded": outcome.succeeded,
        "taskArn": "arn",
        "exitCode": 3,
        "createdAt": "2026-03-01",
        "pullStartedAt": "2026-03-02",
        "pullStoppedAt": "2026-03-03",
        "startedAt": "2026-03-04",
        "stoppingAt": "2026-03-05",
        "stoppedAt": "2026-03-06",
        "capacity": "FARGATE_SPOT",
        "learnedBy": "check",
        "learnedAt": "2026-03-07",
        "endedBy": {"name": "watchdog", "exitCode": 1, "reason": ""},
        "summary": outcome.summary,
        "detail": "why",
        "advice": outcome.advice,
    }
    assert {name: fields[name] for name in expected} == expected
    assert fields.keys() - expected.keys() <= {"transient"}
    assert from_dict(fields) == outcome


def test_learned(outcome: Outcome) -> None:
    """An end says who has learned it first, and when; a second one changes nothing."""
    unheard = replace(outcome, learned_by=None, learned_at=None)
    heard = unheard.learned(LearnedBy.EVENT, datetime(2026, 3, 8, 9, 30, tzinfo=UTC))
    assert (heard.learned_by, heard.learned_at) == ("event", "2026-03-08T09:30:00.000Z")
    assert replace(heard, learned_by=None, learned_at=None) == unheard
    assert heard.learned(LearnedBy.CHECK, datetime(2026, 3, 9, tzinfo=UTC)) == heard


def test_reclassified(outcome: Outcome) -> None:
    """An end that is reclassified keeps its task, its exit code, its times and its capacity."""
    other = reclassified(outcome, TimedOut, "too late")
    kept = {**outcome.to_dict(), "kind": "TimedOut", "detail": "too late"}
    told = {"succeeded", "summary", "advice", "transient"}
    assert {k: v for k, v in other.to_dict().items() if k not in told} == {
        k: v for k, v in kept.items() if k not in told
    }


def test_empty_round_trip(outcome: Outcome) -> None:
    """An outcome of which nothing more is known is read back as the same outcome."""
    nothing = type(outcome)()
    assert from_dict(nothing.to_dict()) == nothing


def test_stored_exit_code() -> None:
    """An exit code that DynamoDB kept becomes a plain integer."""
    restored = from_dict({**Succeeded(exit_code=0).to_dict(), "exitCode": Decimal(0)})
    assert type(restored.exit_code) is int


@pytest.mark.parametrize("detail", [{}, {"detail": None}])
def test_little_known(detail: dict[str, None]) -> None:
    """An outcome of which only the kind was kept is read back with empty facts."""
    assert from_dict({"kind": "Succeeded", **detail}) == Succeeded()


@pytest.mark.parametrize("kind", [None, "", 7, ["Succeeded"], {"is": "Succeeded"}])
def test_kind_that_is_none(kind: object) -> None:
    """A kind that no version can have written is an error, not a guess."""
    with pytest.raises((TypeError, ValueError)):
        from_dict({"kind": kind, "succeeded": True})


def test_exit_code_is_told() -> None:
    """A failure's summary names the exit code."""
    assert ApplicationFailed(exit_code=3).summary == "The container exited with code 3."


@pytest.mark.parametrize(("code", "meaning"), [(137, "SIGKILL"), (143, "SIGTERM")])
def test_known_codes_are_told(code: int, meaning: str) -> None:
    """An exit code that means the same in every container is explained by it."""
    assert meaning in ApplicationFailed(exit_code=code).advice
    assert meaning not in ApplicationFailed(exit_code=1).advice


@pytest.mark.parametrize("code", [137, 143])
def test_ended_by_another_container(code: int) -> None:
    """The advice after a kill names the container that has ended the task."""
    watchdog = OtherContainer(name="watchdog", exit_code=1)
    assert "watchdog" in ApplicationFailed(exit_code=code, ended_by=watchdog).advice


def test_lost_to_another_container() -> None:
    """The advice for a task that another container ended does not name AWS Health."""
    watchdog = OtherContainer(name="watchdog", exit_code=1)
    advice = InfrastructureLost(ended_by=watchdog).advice
    assert advice == "watchdog exited with 1 and ended the task: read its log, then run it again."
    assert "AWS Health" in InfrastructureLost().advice


def test_ended_by_a_container_that_could_not_start() -> None:
    """The advice about a container that has no log, for it did not start, is its cause's."""
    reason = "CannotPullContainerError: dial tcp 192.0.2.9:443: i/o timeout"
    guard = OtherContainer(name="guard", reason=reason)
    advice = ApplicationFailed(exit_code=143, ended_by=guard).advice
    assert advice.startswith("guard could not be started and ended the task. ")
    assert "NAT" in advice


def test_image_called_like_memory() -> None:
    """A container that could not be started has not run out of memory, whatever its image."""
    guard = OtherContainer(name="guard", reason="CannotPullContainerError: my/oom: not found")
    assert guard.sentence == "guard could not be started"


def test_ended_by_a_container_without_memory() -> None:
    """A container that ran out of memory has a log to read, whether it has an exit code or not."""
    router = OtherContainer(name="router", reason="OutOfMemoryError: Container killed")
    advice = ApplicationFailed(exit_code=143, ended_by=router).advice
    assert advice == "router ran out of memory and ended the task: read its log."


def test_timeout_of_a_start() -> None:
    """A container that began as it was stopped for its start is advised about that limit."""
    stopped_for_start = stop_reason(FailedToStart(detail="not started"))
    assert "startTimeoutSeconds" in TimedOut(detail=stopped_for_start).advice
    assert "startTimeoutSeconds" not in TimedOut(detail=stop_reason(TimedOut())).advice


def test_timeout_that_nobody_saw_begin() -> None:
    """A timeout of which ECS has not shown whether it began does not blame the work's size."""
    assert "Nobody knows" in TimedOut(detail=UNSEEN_START).advice


def test_timeout_with_a_result() -> None:
    """A timeout whose container had handed over a result does not advise to make work smaller."""
    handed_over = TimedOut(detail=f"too late; {HANDED_OVER}: it is in `result`")
    assert "may be done" in handed_over.advice
    assert "may be done" not in TimedOut(detail="too late").advice


def test_unknown_reason() -> None:
    """A failed start whose reason no row of the causes knows gives the reason, and says so."""
    advice = FailedToStart(task_arn="arn", detail="The moon is full").advice
    assert "not known here: The moon is full." in advice


def test_code_that_was_not_fetched() -> None:
    """The advice for the reserved exit code names the log, and the needs of the download."""
    advice = FailedToStart(task_arn="arn", exit_code=NOT_FETCHED, transient=True).advice
    assert "did not get its code" in advice


def test_failure_in_spite_of_its_code() -> None:
    """The advice for a failure with exit code 0 names the detail."""
    advice = ApplicationFailed(exit_code=0).advice
    assert "detail" in advice
    assert advice != ApplicationFailed(exit_code=1).advice


def test_no_task() -> None:
    """The advice for a failed start says that there was no task only if there was none."""
    assert "No task came to be" in FailedToStart(detail="why").advice
    assert "No task" not in FailedToStart(task_arn="arn", detail="why").advice


def test_transient_start_round_trip() -> None:
    """Whether a start may be repeated is kept, and changes the advice."""
    passing, lasting = FailedToStart(transient=True), FailedToStart()
    assert passing.to_dict()["transient"] is True
    assert from_dict(passing.to_dict()) == passing
    assert from_dict(lasting.to_dict()) == lasting
    assert passing.advice != lasting.advice


@pytest.mark.parametrize("detail", ["", "The record was closed during the launch"])
def test_stop_reason(detail: str) -> None:
    """StopTask's reason names the outcome, and its detail or else its summary, for people."""
    ending = TimedOut(detail=detail)
    reason = stop_reason(ending)
    assert reason == f"durable-task/TimedOut: {detail or ending.summary}"
