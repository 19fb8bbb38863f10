from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from core.outcome import classify
from core.outcome.beside import OUT_OF_MEMORY
from core.retry import OnDemand, Policy
from tests.property.lives import ENDINGS, WORKER, Ending, life

LIVES = ENDINGS.map(life)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
# ECS adds fields; those of ours that it would change are not additions.
UNKNOWN_FIELDS = st.dictionaries(st.text().map(lambda name: f"x{name}"), JSON, max_size=4)
ZONES = st.integers(-720, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.builds(
    lambda milliseconds, zone: datetime.fromtimestamp(milliseconds / 1_000, zone),
    st.integers(0, 2**42),
    ZONES,
)
SIDECARS = st.lists(
    st.fixed_dictionaries(
        {"name": st.text().filter(lambda name: name != WORKER), "lastStatus": st.just("STOPPED")},
        optional={
            "exitCode": st.integers(0, 255),
            "reason": st.sampled_from(["OutOfMemoryError", "CannotPullContainerError"]),
        },
    ),
    max_size=4,
)


@given(ENDINGS, st.data())
def test_any_order(ending: Ending, data: st.DataObject) -> None:
    """A task's events, doubled and in any order, all show the same end, and STOPPED shows it."""
    events = life(ending)
    doubled = data.draw(st.lists(st.sampled_from(events), max_size=8))
    delivered = data.draw(st.permutations(events + doubled))
    kinds = [outcome.kind for task in delivered if (outcome := classify(task, WORKER))]
    assert set(kinds) == {ending.kind}


@given(ENDINGS)
def test_early_end_is_final(ending: Ending) -> None:
    """An end at DEPROVISIONING has all the facts of the end at STOPPED."""
    *_, deprovisioning, stopped = life(ending)
    early = classify(deprovisioning, WORKER)
    assert early in (None, classify(stopped, WORKER))


@given(LIVES)
def test_no_end_before_the_containers_are_gone(tasks: list[dict[str, Any]]) -> None:
    """No state before DEPROVISIONING is an end."""
    assert [classify(task, WORKER) for task in tasks[:-2]] == [None] * (len(tasks) - 2)


@given(LIVES, SIDECARS, st.data())
def test_sidecars(tasks: list[dict[str, Any]], sidecars: list[Any], data: st.DataObject) -> None:
    """Sidecars change no kind of a task that began, wherever they stand and however they ended."""
    task = data.draw(st.sampled_from(tasks))
    containers = data.draw(st.permutations([*task["containers"], *sidecars]))
    alone, beside = (classify(t, WORKER) for t in (task, task | {"containers": containers}))
    assert (alone and alone.kind) == (beside and beside.kind)


@given(
    SIDECARS,
    st.sampled_from(["EssentialContainerExited", "TaskFailedToStart", "Tomorrows"]),
    st.text(),
    st.text().filter(lambda reason: not OUT_OF_MEMORY.search(reason)),
)
def test_finished_work(
    sidecars: list[Any], stop_code: str, stopped_reason: str, reason: str
) -> None:
    """A main container that exited with 0 by itself is never a failed start, nor retried."""
    main = {"name": WORKER, "lastStatus": "STOPPED", "exitCode": 0, "reason": reason}
    task = {"lastStatus": "STOPPED", "stopCode": stop_code, "stoppedReason": stopped_reason}
    outcome = classify({"taskArn": "arn", **task, "containers": [main, *sidecars]}, WORKER)
    assert outcome is not None
    assert outcome.kind != "FailedToStart"
    everything = frozenset({*get_args(OnDemand), *range(256)})
    assert Policy(retry_on=everything).delay(outcome, 1, "seed") is None


@given(LIVES, UNKNOWN_FIELDS, UNKNOWN_FIELDS, st.data())
def test_unknown_fields(
    tasks: list[dict[str, Any]],
    of_task: dict[str, Any],
    of_container: dict[str, Any],
    data: st.DataObject,
) -> None:
    """Fields that ECS does not have yet change nothing."""
    task = data.draw(st.sampled_from(tasks))
    containers = [of_container | container for container in task["containers"]]
    extended = of_task | task | {"containers": containers}
    assert classify(extended, WORKER) == classify(task, WORKER)


@given(LIVES, MOMENTS)
def test_events_and_describe_tasks_agree(tasks: list[dict[str, Any]], moment: datetime) -> None:
    """A moment is the same in an event and in DescribeTasks."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event, described = (
        tasks[-1] | {"startedAt": instant, "executionStoppedAt": instant}
        for instant in (text, moment)
    )
    assert classify(event, WORKER) == classify(described, WORKER)
