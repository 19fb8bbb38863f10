from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput

from local.durable.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)


def begun(name: str) -> Execution:
    """Return an execution that is retained for a day."""
    execution = Execution(
        name,
        StartDurableExecutionInput(
            account_id="123456789012",
            function_name="function",
            function_qualifier="1",
            execution_name=name,
            execution_timeout_seconds=60,
            execution_retention_period_days=1,
            invocation_id=name,
            input="{}",
        ),
        [],
    )
    execution.start(now=START)
    return execution


def test_retention() -> None:
    """An execution is forgotten a retention period after its end, one that runs is not."""
    passed = timedelta()
    store = Store(lambda _: None, lambda: START + passed)
    ended, running = begun("ended"), begun("running")
    for execution in (ended, running):
        store.save(execution)
    ended.complete_success("1", now=START)
    store.update(ended)
    passed = timedelta(hours=23)
    store.save(begun("next"))
    assert store.load("ended") is ended
    passed = timedelta(hours=24)
    store.save(begun("last"))
    assert [name in store for name in ("ended", "running", "next", "last")] == [False, *[True] * 3]


def test_status_is_told_once() -> None:
    """Each status of an execution is told once, however often it is kept."""
    told: list[Execution] = []
    store = Store(told.append, lambda: START)
    execution = begun("one")
    store.save(execution)
    store.update(execution)
    execution.complete_success("1", now=START)
    store.update(execution)
    store.update(execution)
    assert told == [execution] * 2
