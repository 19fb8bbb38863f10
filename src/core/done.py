"""The words with which functions log what they have done, or why they have done nothing."""

from __future__ import annotations

from enum import StrEnum


class Done(StrEnum):
    """One action, or the reason for none. Operators count its value; code compares the member."""

    # An end of a task, by its event or by the reconciler.
    CALLBACK_SUCCEEDED = "callback succeeded"
    CALLBACK_FAILED = "callback failed"
    CALLBACK_ANSWERED_BEFORE = "callback was answered before"
    OUTCOME_STORED = "outcome stored"
    CLOSED_COMPLETED = "record closed COMPLETED"
    CLOSED_FAILED = "record closed FAILED"
    EXECUTION_FAILED = "execution is FAILED"
    EXECUTION_STOPPED = "execution is STOPPED"
    EXECUTION_TIMED_OUT = "execution is TIMED_OUT"
    EXECUTION_FORGOTTEN = "execution is forgotten"
    GOES_ON = "left alone: execution goes on"
    PAUSED = "left alone: paused"
    REPORTED_BEFORE = "reported before"
    MOVED_ON = "record moved on"

    # An end of an execution.
    ABANDONED_FAILED = "abandoned: execution FAILED"
    ABANDONED_STOPPED = "abandoned: execution STOPPED"
    ABANDONED_TIMED_OUT = "abandoned: execution TIMED_OUT"

    # Events that change nothing.
    STRANGER = "ignored: started by somebody else"
    OTHER_PLACE = "ignored: task of another cluster or family"
    NOT_OVER = "ignored: not over"
    NO_RECORD = "ignored: no record"
    STALE_ATTEMPT = "ignored: stale attempt"
    OTHER_TASK = "ignored: other task"
    RECORD_CLOSED = "ignored: record closed"
    OTHER_VERSION = "ignored: flow of another version"
    HARMLESS_STATUS = "ignored: not an end that leaves a task behind"

    # Repairs, by the reconciler alone.
    ADOPTED = "adopted"
    CLOSED_AFTER_SUCCESS = "closed: execution succeeded"
    CLOSED_UNREADABLE = "closed: unreadable"
    STOPPED_OVERDUE = "stopped: overdue"
    STOPPED_UNSTARTED = "stopped: not started"
    STOPPED_SILENT = "stopped: no progress"
    STOPPED_ORPHAN = "stopped: orphan"
    EXPIRES = "expires: not ours"
    ENDED_JUST_NOW = "ended just now"
    RUNNING = "running"
    ABOUT_TO_START = "about to start"
    NO_TASK = "no task"
    YOUNG = "young"
    MISSING = "missing: first look"
    NOT_SETTLED = "not settled"
    OUT_OF_TIME = "left for the next run"

    @property
    def is_in_place_of_event(self) -> bool:
        """Whether this is a repair that an event should have made before the reconciler did.

        The reconciler's own work, for example the stop of an overdue task, shows no lost event.
        """
        return self in _EVENTS_OWN

    @property
    def is_abandonment(self) -> bool:
        """Whether it settles the task and the record of an execution that ended badly."""
        return self in _ABANDONED

    @classmethod
    def closed(cls, status: str) -> Done:
        """Return the word for a record that was closed with a status."""
        return cls(f"record closed {status}")

    @classmethod
    def ended(cls, status: str) -> Done:
        """Return the word for a task whose execution had ended badly before it."""
        return cls(f"execution is {status}")

    @classmethod
    def abandoned(cls, status: str) -> Done:
        """Return the word for the settled task and record of an execution that ended badly."""
        return cls(f"abandoned: execution {status}")


_ABANDONED = frozenset({
    *(Done.ABANDONED_FAILED, Done.ABANDONED_STOPPED, Done.ABANDONED_TIMED_OUT),
})  # fmt: skip
_EVENTS_OWN = _ABANDONED | frozenset({
    *(Done.CALLBACK_SUCCEEDED, Done.CALLBACK_FAILED, Done.CALLBACK_ANSWERED_BEFORE),
    *(Done.OUTCOME_STORED, Done.GOES_ON, Done.CLOSED_COMPLETED, Done.CLOSED_FAILED),
    *(Done.EXECUTION_FAILED, Done.EXECUTION_STOPPED, Done.EXECUTION_TIMED_OUT),
})  # fmt: skip
