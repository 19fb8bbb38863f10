"""The kinds of ends of a task, each with its summary and its advice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from core.moment import timestamp
from core.outcome.beside import NEVER_RAN, SIGKILL, SIGTERM, OtherContainer
from core.outcome.causes import DEPENDENCY_FAILED, cause_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# The exit code of the template's container if it could not get its code; no worker uses it.
NOT_FETCHED = 222
# Characters of an outcome's detail.
MAX_DETAIL = 1_000
_MAX_SHOWN = 200
# The first words of every StopTask reason of ours; the outcome of the stop follows them.
STOPPED_BY_US = "durable-task/"
# The first words of a timeout's detail if ECS has not shown whether the container ever began.
UNSEEN_START = "The task was stopped before its container was seen to start"
# The first words of the reason of a stop because of missing progress.
SILENT = "The worker had reported no progress"
# The first words of a detail's note about a result that the container had left.
HANDED_OVER = "The container had handed over a result"
# An outcome's moments by their names in its JSON form, which are ECS's own, in their order.
MOMENTS: Mapping[str, str] = {
    "created_at": "createdAt",
    "pull_started_at": "pullStartedAt",
    "pull_stopped_at": "pullStoppedAt",
    "started_at": "startedAt",
    "stopping_at": "stoppingAt",
    "stopped_at": "stoppedAt",
}


class LearnedBy(StrEnum):
    """The party that learned of a task's end."""

    EVENT = "event"
    CHECK = "check"
    RECONCILER = "reconciler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a task; the concrete class says which end it was.

    Moments are ISO 8601 in UTC, and None where ECS shows none. ECS forgets a task within the hour.

    Attributes:
        task_arn: the task; None where no task came to be.
        exit_code: the main container's exit code; None where it has none.
        created_at: when ECS accepted the task.
        pull_started_at: when the pull of its images began.
        pull_stopped_at: when it was over.
        started_at: when the containers ran; None if they never did.
        stopping_at: when ECS began to stop the task.
        stopped_at: when the containers had ended.
        capacity: the task's capacity: `FARGATE`, `FARGATE_SPOT` or another capacity provider.
        learned_by: who learned the end, a `LearnedBy`; None where that is not set yet.
        learned_at: when the end was learned, just before it was reported.
        detail: the reasons in ECS's own words, at most 1,000 characters.
        ended_by: the container beside the main one that ended the task, or kept it from starting;
            None where there is none, or it is not known.
    """

    summary_text: ClassVar[str]
    advice_text: ClassVar[str]

    task_arn: str | None = None
    exit_code: int | None = None
    created_at: str | None = None
    pull_started_at: str | None = None
    pull_stopped_at: str | None = None
    started_at: str | None = None
    stopping_at: str | None = None
    stopped_at: str | None = None
    capacity: str | None = None
    learned_by: str | None = None
    learned_at: str | None = None
    detail: str = ""
    ended_by: OtherContainer | None = None

    @property
    def kind(self) -> str:
        """The outcome's name: that of its type."""
        return type(self).__name__

    @property
    def succeeded(self) -> bool:
        """Whether the work was done."""
        return False

    @property
    def summary(self) -> str:
        """One sentence: what happened."""
        return self.summary_text.format(exit_code=self.exit_code)

    @property
    def advice(self) -> str:
        """One or two sentences: what to do about it."""
        return self.advice_text

    def learned(self, by: LearnedBy, at: datetime) -> Self:
        """Return the end with who learned it, and when; an end that has both already stays."""
        if self.learned_by is not None:
            return self
        return replace(self, learned_by=by.value, learned_at=timestamp(at))

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`; the keys are those of the record and the errors."""
        return {
            "kind": self.kind,
            # For a version that doesn't know the kind.
            "succeeded": self.succeeded,
            "taskArn": self.task_arn,
            "exitCode": self.exit_code,
            **{name: getattr(self, moment) for moment, name in MOMENTS.items()},
            "capacity": self.capacity,
            "learnedBy": self.learned_by,
            "learnedAt": self.learned_at,
            "endedBy": self.ended_by and self.ended_by.to_dict(),
            "summary": self.summary,
            "detail": self.detail,
            "advice": self.advice,
        }


class Succeeded(Outcome):
    """The main container exited with code 0."""

    summary_text = "The container exited with code 0."
    advice_text = "Nothing to do."

    @property
    def succeeded(self) -> bool:
        """Always: the only kind that is a success."""
        return True


class ApplicationFailed(Outcome):
    """The main container exited with another code than 0, or its exit code 0 does not count."""

    summary_text = "The container exited with code {exit_code}."
    advice_text = "Read the last lines of the container's log; the code is the application's own."

    @property
    def advice(self) -> str:
        """The next thing to do, with advice of its own for codes that mean the same everywhere."""
        if self.exit_code == 0:
            return "The exit code is a success, but the container's writes are not: see the detail."
        if self.exit_code == SIGKILL:
            # A container killed for memory ends the others too, and ECS may not say that it was.
            causes = "a kill, too little memory, or a stop that took longer than stopTimeout."
            if self.ended_by:
                first = f"read the log of {self.ended_by.name} first"
                return f"SIGKILL ended it: {first}. Other possible causes: {causes}"
            return f"SIGKILL ended it. Possible causes: {causes}"
        if self.ended_by:
            ended = f"{self.ended_by.sentence} and ended the task"
            # A container that did not start has no log.
            never_ran = NEVER_RAN.match(self.ended_by.reason)
            cause = cause_of(self.ended_by.reason) if never_ran else None
            return f"{ended}. {cause.advice}" if cause else f"{ended}: read its log."
        if self.exit_code == SIGTERM:
            return (
                "SIGTERM ended it: find who stopped the task, or which container beside it ended "
                "first; let the work finish on SIGTERM."
            )
        return self.advice_text


class OutOfMemory(Outcome):
    """The kernel killed the main container for its memory use."""

    summary_text = "The container ran out of memory."
    advice_text = "Raise the task definition's memory, or work on less data at a time."


class SpotInterrupted(Outcome):
    """Fargate Spot took the capacity back."""

    summary_text = "Fargate Spot reclaimed the task's capacity."
    advice_text = "Run it again; long work that cannot be interrupted belongs on FARGATE."


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedToStart(Outcome):
    """The task never ran: RunTask refused it, or ECS could not start its containers.

    Attributes:
        transient: True where the same request may well succeed later (capacity, network, quota).
    """

    summary_text = "The task could not be started."
    transient: bool = False

    @property
    def reasons(self) -> str:
        """The detail without the other container's name, which may hold the words of a cause."""
        return self.detail.replace(self.ended_by.sentence, "") if self.ended_by else self.detail

    @property
    def advice(self) -> str:
        """The next thing to do: wait, or change the thing that the reason names."""
        if self.exit_code == NOT_FETCHED:
            return (
                "The container did not get its code: its log says why. If it repeats, look at the "
                "subnet's way out and at the task's role."
            )
        cause, other = cause_of(self.reasons), self.ended_by
        if other and other.exit_code and (cause is None or cause is DEPENDENCY_FAILED):
            before = f"{other.sentence} before the main container could start"
            return f"{before}: read its log, and mend that first."
        if cause:
            return f"{other.sentence}. {cause.advice}" if other else cause.advice
        if self.transient:
            return "It may pass: run it again later. The detail says what is known."
        if self.task_arn is None:
            return "No task came to be: the detail names what was refused, or came too late."
        reason = self.detail[:_MAX_SHOWN].rstrip(".") or "ECS gives none"
        return f"The reason is not known here: {reason}. Look for it in ECS's documentation."

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with `transient`."""
        # Slots make a new class, so a bare super() would look in the wrong one.
        return {**Outcome.to_dict(self), "transient": self.transient}


class StoppedByUser(Outcome):
    """A person or another program called StopTask."""

    summary_text = "Somebody stopped the task."
    advice_text = "CloudTrail's StopTask event names who; run it again if it was a mistake."


class TimedOut(Outcome):
    """The attempt's own timeout stopped the task."""

    summary_text = "The task exceeded its timeout and was stopped."
    advice_text = "Raise timeoutSeconds, or make the work smaller."

    @property
    def advice(self) -> str:
        """The next thing to do: it depends on the limit, and on what the container has left."""
        if HANDED_OVER in self.detail:
            return "Its work may be done: look at the result before you run it again."
        if UNSEEN_START in self.detail:
            return (
                "Nobody knows whether its work began: look for its traces, then raise "
                "startTimeoutSeconds or timeoutSeconds."
            )
        if self.detail.startswith(STOPPED_BY_US + FailedToStart.__name__):
            return "Its container began too late for the start's limit: raise startTimeoutSeconds."
        if self.detail.startswith(f"{STOPPED_BY_US}{TimedOut.__name__}: {SILENT}"):
            return (
                "Its log tells where it hung. If it was at work, let it report progress more "
                "often, or raise heartbeatSeconds."
            )
        return self.advice_text


class Cancelled(Outcome):
    """The execution ended first: its task was stopped, or the task's outcome is not used."""

    summary_text = "The execution ended before its task could complete it."
    advice_text = "Start a new execution if the work is still wanted."


class InfrastructureLost(Outcome):
    """AWS ended the task, or ended it without telling how the work went."""

    summary_text = "The task was lost to its infrastructure."
    advice_text = "Run it again; if it repeats, look at the AWS Health dashboard."

    @property
    def advice(self) -> str:
        """The next thing to do, with advice of its own where another container ended the task."""
        if self.ended_by:
            return f"{self.ended_by.sentence} and ended the task: read its log, then run it again."
        return self.advice_text


class Missing(Outcome):
    """ECS shows nothing of the task, and no end of it was stored."""

    summary_text = "The end of the task is not known."
    advice_text = "Look for the work's traces (log, output) before running it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownKind(Outcome):
    """An end in another version's words: that version has classified it, this one passes it on.

    Attributes:
        other_kind: the other version's word for it.
        has_succeeded: whether the work was done.
        other_summary: what happened.
        other_advice: what to do about it.
    """

    other_kind: str
    has_succeeded: bool = False
    other_summary: str = "The task ended in a way that only another version of the stack knows."
    other_advice: str = "Look at the task and at its log."

    @property
    def kind(self) -> str:
        """The other version's word."""
        return self.other_kind

    @property
    def succeeded(self) -> bool:
        """The other version's verdict."""
        return self.has_succeeded

    @property
    def summary(self) -> str:
        """The other version's sentence, or one that says that the end is unknown here."""
        return self.other_summary

    @property
    def advice(self) -> str:
        """The other version's advice, or where to look."""
        return self.other_advice


KINDS: Mapping[str, type[Outcome]] = {
    kind.__name__: kind
    for kind in (
        *(Succeeded, ApplicationFailed, OutOfMemory, SpotInterrupted, FailedToStart),
        *(StoppedByUser, TimedOut, Cancelled, InfrastructureLost, Missing),
    )
}


def from_dict(data: Mapping[str, Any]) -> Outcome:
    """Rebuild an outcome from its JSON form, of any version.

    Missing fields get their defaults; unknown fields are ignored.

    Raises:
        KeyError, TypeError, ValueError: the data is no outcome of any version.
    """
    kind, exit_code = KINDS.get(data["kind"]), data.get("exitCode")
    facts: dict[str, Any] = {
        "task_arn": data.get("taskArn"),
        "exit_code": None if exit_code is None else int(exit_code),
        **{moment: data.get(name) for moment, name in MOMENTS.items()},
        "capacity": data.get("capacity"),
        "learned_by": data.get("learnedBy"),
        "learned_at": data.get("learnedAt"),
        "detail": data.get("detail") or "",
        "ended_by": OtherContainer.from_dict(data.get("endedBy")),
    }
    if kind is None:
        return UnknownKind(**facts, **_told(data))
    if kind is FailedToStart:
        facts["transient"] = bool(data.get("transient"))
    return kind(**facts)


def _told(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return another version's words for an end whose kind this version does not know."""
    kind = data["kind"]
    if not isinstance(kind, str) or not kind:
        raise ValueError(f"The kind of an outcome should be a word; it is {kind!r}.")
    words = {"other_summary": data.get("summary"), "other_advice": data.get("advice")}
    return {
        "other_kind": kind,
        # Nothing is a success by default.
        "has_succeeded": data.get("succeeded") is True,
        **{name: text for name, text in words.items() if isinstance(text, str)},
    }


def reclassified(outcome: Outcome, kind: type[Outcome], detail: str) -> Outcome:
    """Return the same end of the same task as another kind, with a reason of its own."""
    return from_dict({**outcome.to_dict(), "kind": kind.__name__, "detail": detail})
