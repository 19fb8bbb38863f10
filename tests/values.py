"""Values of the core as tests need them: each kind is put together here and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.correlation import Correlation
from core.flow import Flow
from core.job import Job
from core.launch import Launch, Place
from core.network import Network
from core.record import Record, Status
from core.work import Terms, Work, parse

if TYPE_CHECKING:
    from core.outcome import Outcome

BUCKET = "demo-databucket-1x2y3z"
_NOW = "2026-03-02T09:00:00.000Z"


def job(**changes: Any) -> Job:
    """Return the demo's job, with changes."""
    told = {"MESSAGE": "hi", "PROCESSING_TIME": "0"}
    return replace(Job("demo-worker", "worker", environment=told), **changes)


def work(**changes: Any) -> Work:
    """Return the demo's work, which is tried once and may take a minute, with changes."""
    return replace(Work(job(), timeout_seconds=60, start_timeout_seconds=60), **changes)


def terms(**changes: Any) -> Terms:
    """Return what holds for every payload of the demo's stack, with changes."""
    demo = Terms("demo", 86_400, BUCKET, 400, default=job(environment={}))
    return replace(demo, **changes)


def parsed(payload: object, flow: Flow, execution_timeout: int = 86_400, **changes: Any) -> Work:
    """Return the work that a payload asks for of an execution called `one`, as `parse` does."""
    asked = terms(execution_timeout=execution_timeout, **changes)
    return parse(payload, flow, "one", asked)


def place(**changes: Any) -> Place:
    """Return where the demo's tasks run, with changes."""
    demo = Place(
        cluster="arn:aws:ecs:us-east-1:123456789012:cluster/demo-cluster",
        table="demo-callbacks",
        bucket=BUCKET,
        network=Network(("subnet-1", "subnet-2"), ("sg-1",), "DISABLED"),
    )
    return replace(demo, **changes)


def launch(**changes: Any) -> Launch:
    """Return the first launch of an execution called `one`, with changes."""
    arn = execution_arn("one")
    first = Launch(arn, Correlation("demo", "one", 1), 1, Flow.DYNAMODB, job())
    return replace(first, **changes)


def record(**changes: Any) -> Record:
    """Return the record that a launch creates, with changes; of the EventBridge flow, if of none.

    An EventBridge record has a callback unless it is to have none.
    """
    key = changes.get("execution_id", "one")
    flow = changes.get("flow", Flow.EVENTBRIDGE)
    created = Record(
        execution_id=key,
        execution_arn=execution_arn(key),
        flow=flow,
        status=Status.PENDING,
        is_open=True,
        attempt=1,
        launch=1,
        job=job(),
        begun_at=_NOW,
        deadline="2026-03-02T10:00:00.000Z",
        created_at=_NOW,
        updated_at=_NOW,
        callback_id=f"callback-{key}" if flow.has_callback else None,
    )
    return replace(created, **changes)


def as_ecs_tells(outcome: Outcome) -> Outcome:
    """Return an end without who has learned it, and when."""
    return replace(outcome, learned_by=None, learned_at=None)


def execution_arn(execution_id: str) -> str:
    """Return the ARN of an execution."""
    function = "arn:aws:lambda:us-east-1:123456789012:function:demo-function:1"
    return f"{function}/durable-execution/name/{execution_id}"
