from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.flow import Flow
from core.record import Status
from tests.property.lives import ENDINGS, SUCCESS, Ending, exited, life
from tests.property.world import Fault, Lambda, World

if TYPE_CHECKING:
    from tests.integration.aws import Aws

ANOTHER = exited(3)
RESULT = '{"answer":42}'
FLOWS = st.sampled_from([Flow.EVENTBRIDGE, Flow.EVENTBRIDGE, Flow.DYNAMODB, Flow.POLLING])
FAULTS = st.sampled_from(Fault)


@pytest.fixture(scope="module")
def functions(aws: Aws) -> Lambda:
    """Lambda as the task-state function sees it."""
    return Lambda(aws)


def happenings(world: World, ending: Ending, data: st.DataObject) -> list[Any]:
    """Draw what happens in which order: the task's events and doubles, and the orchestrator."""
    # Among them are events that are not ours, or not the attempt's any more, and tell another end.
    tasks = life(ending, world.task)
    doubled = data.draw(st.lists(st.sampled_from(tasks[-2:]), max_size=3))
    *_, other = life(ANOTHER if ending.kind == "Succeeded" else SUCCESS)
    strange = [world.event(other, stack="demo-two"), world.event(other, attempt=2)]
    events = [world.event(task) for task in [*tasks, *doubled]]
    return data.draw(st.permutations([*events, *strange, world.store_task, world.resume]))


def live_through(world: World, happened: list[Any], data: st.DataObject) -> None:
    """Let everything happen; an event whose delivery failed comes again, after all others."""
    failed = []
    for happening in happened:
        if callable(happening):
            happening()
        elif not world.deliver(happening, data.draw(FAULTS)):
            failed.append(happening)
    world.resume()
    for event in failed:
        assert world.deliver(event)
        world.resume()


@settings(max_examples=60)
@given(flow=FLOWS, ending=st.just(SUCCESS) | ENDINGS, data=st.data())
def test_deliveries(
    aws: Aws, functions: Lambda, flow: Flow, ending: Ending, data: st.DataObject
) -> None:
    """An execution ends once, as its task did, with doubled, reordered and interrupted events."""
    # The callback takes one answer; the record ends as it would have without any of it.
    success = ending.kind == "Succeeded"
    world = World(aws, functions, flow, RESULT if success else None)
    live_through(world, happenings(world, ending, data), data)
    world.repair()
    record = world.stored()
    assert record.last_outcome is not None
    assert record.last_outcome["kind"] == ending.kind
    assert record.task_arn == world.task.arn
    if flow is Flow.POLLING:
        assert (record.status, record.is_open) == (Status.RUNNING, True)
    else:
        assert record.status is (Status.COMPLETED if success else Status.FAILED)
        assert not record.is_open
        assert (record.error or {}).get("kind") == (None if success else ending.kind)
    if flow is Flow.EVENTBRIDGE:
        assert world.answered().kind == ending.kind
    else:
        assert not world.is_answered


@settings(max_examples=20)
@given(ending=st.just(SUCCESS) | ENDINGS, data=st.data())
def test_stopped_execution(
    aws: Aws, functions: Lambda, ending: Ending, data: st.DataObject
) -> None:
    """An execution that is stopped meanwhile is never recorded as COMPLETED against its answer."""
    # Its callback takes one answer or none, and no delivery is left without an end.
    world = World(aws, functions, Flow.EVENTBRIDGE, RESULT)
    happened = happenings(world, ending, data)
    happened.insert(data.draw(st.integers(0, len(happened))), world.stop)
    live_through(world, happened, data)
    world.repair()
    record = world.stored()
    if record.status is Status.COMPLETED:
        assert world.answered().succeeded
    if not world.is_answered:
        assert (record.status, record.is_open) == (Status.FAILED, False)
        expected = "Cancelled" if ending.kind == "Succeeded" else ending.kind
        assert record.error is not None
        assert record.error["kind"] == expected
