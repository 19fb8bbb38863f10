from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.user import User

# Each step is checkpointed when it starts and when it has succeeded.
EVENTS = [
    ("ExecutionStarted", None),
    ("CallbackStarted", "task-end"),
    ("StepStarted", "launch-task"),
    ("StepSucceeded", "launch-task"),
    ("InvocationCompleted", None),
    ("CallbackSucceeded", "task-end"),
    ("InvocationCompleted", None),
    ("ExecutionSucceeded", None),
]


def test_equal_input_starts_two_tasks(user: User) -> None:
    """Two executions with equal input are two: each starts its own task."""
    first, second = (user.start("eventbridge", message="same", processingTime=0) for _ in "12")
    tasks = {user.result(arn)["taskArn"] for arn in (first, second)}
    assert len(tasks) == 2


def test_same_name_starts_one_task(user: User) -> None:
    """The same execution name twice, with the same payload, is one execution and one task."""
    first, second = (user.start("eventbridge", name="once", processingTime=0) for _ in "12")
    assert first == second
    task = user.result(first)["taskArn"]
    assert user.tasks(first) == [task]


def test_history_does_not_grow(user: User, minute: str) -> None:
    """A task of a minute costs what a task of a second does: 3 operations and 2 invocations."""
    second = user.start("eventbridge", processingTime=1)
    for arn in (second, minute):
        assert user.result(arn)["outcome"] == "Succeeded"
        kinds = [event["EventType"] for event in user.history(arn)]
        assert sorted(kinds) == sorted(kind for kind, _ in EVENTS)
        assert len({event["Id"] for event in user.history(arn) if "Id" in event}) == 3
        assert kinds.count("InvocationCompleted") == 2


def test_log_reads_as_a_story(user: User) -> None:
    """Each line of an execution's log is there once, however often the handler was replayed."""
    arn = user.start("polling", processingTime=1)
    user.result(arn)
    execution_id = arn.rpartition("/")[2]
    name = user.function("polling").split(":")[6]
    lines = [line for line in user.lines(name) if line.get("correlation_id") == execution_id]
    messages = [line["message"] for line in lines]
    assert messages[:4] == [
        "Task starting",
        "Record created",
        "Task started",
        "Waiting for the task to end",
    ]
    assert messages[-1] == "Final result"
    changes = [message for message in messages if message.startswith("Task status")]
    assert messages[4:-1] == changes
    assert len(set(changes)) == len(changes)
