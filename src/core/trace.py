"""A task as a segment of its execution's X-Ray trace."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from core.outcome import FailedToStart, cause_of
from core.outcome.causes import Area

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.outcome import Outcome
    from core.record import Record

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID = re.compile(r"[0-9a-f]{16}")
_PULL = "image pull"
# A task's phases by the moments at which they begin, in their order.
_PHASES: Mapping[str, str] = {
    "created_at": "provisioning",
    "pull_started_at": _PULL,
    "pull_stopped_at": "starting",
    "started_at": "running",
}
LAUNCH, COMPLETION = "launch", "completion"
# X-Ray's limit for a name; ECS's for a family is higher.
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """An execution's place in X-Ray, as Lambda hands it to an invocation.

    Attributes:
        root: the trace's id.
        parent: the id of the parent segment; None where there is none.
        is_sampled: whether X-Ray keeps the trace.
    """

    root: str
    parent: str | None
    is_sampled: bool

    @classmethod
    def parse(cls, text: str | None) -> TraceHeader | None:
        """Read `Root=…;Parent=…;Sampled=…`, in any order; None where it names no trace."""
        pairs = (part.strip().partition("=") for part in (text or "").split(";"))
        fields = {name: value for name, _, value in pairs}
        root, parent = fields.get("Root", ""), fields.get("Parent", "")
        if not _ROOT.fullmatch(root):
            return None
        named = parent if _ID.fullmatch(parent) else None
        return cls(root, named, fields.get("Sampled") == "1")

    def text(self) -> str:
        """Return the header as X-Ray writes it, without unknown fields."""
        parent = f"Parent={self.parent};" if self.parent else ""
        return f"Root={self.root};{parent}Sampled={int(self.is_sampled)}"


# As long as every header that is handed on.
TRACE_RESERVE = TraceHeader("1-00000000-000000000000000000000000", "0" * 16, is_sampled=True)


class _Part(NamedTuple):
    """One subsegment: its name, and its begin and end in epoch seconds."""

    name: str
    begin: float
    end: float


def segment(record: Record, outcome: Outcome) -> dict[str, Any] | None:
    """Return the segment of an attempt that has ended.

    Its ids are made from execution and attempt, so X-Ray keeps a segment once that is sent twice.

    Args:
        record: the attempt's record.
        outcome: how the attempt ended, with who learned it and when.

    Returns:
        X-Ray's segment document, with a subsegment for each phase of the task that ECS shows; None
        for an execution without a sampled trace.
    """
    header = TraceHeader.parse(record.trace_header)
    if header is None or not header.is_sampled:
        return None
    key = f"{record.execution_arn}/{record.attempt}"
    phases, learned = _phases(record, outcome)
    end = phases[-1].end
    failure = _failure(outcome, key)
    failed = _failed_in([part.name for part in phases], outcome)
    parts = [
        *(_subsegment(p, key) | (failure if p.name == failed else {}) for p in phases),
        _subsegment(_Part(COMPLETION, end, learned), key)
        | {"annotations": {"learnedBy": outcome.learned_by or ""}},
    ]
    return {
        "name": record.job.family[:_LONGEST_NAME],
        "id": _id(key),
        "trace_id": header.root,
        **({"parent_id": header.parent} if header.parent else {}),
        "origin": "AWS::ECS::Fargate",
        "start_time": phases[0].begin,
        "end_time": end,
        **failure,
        "annotations": _annotations(record, outcome),
        "metadata": {"task": _facts(record, outcome)},
        "subsegments": parts,
    }


def _phases(record: Record, outcome: Outcome) -> tuple[Sequence[_Part], float]:
    """Return an attempt's phases, and when its end was learned.

    An attempt for which ECS shows no moment was in its launch all the time.
    """
    told = {name: getattr(outcome, moment) for moment, name in _PHASES.items()}
    begins = {name: moment for name, moment in told.items() if moment}
    begins = begins or {LAUNCH: record.begun_at}
    last = [outcome.stopped_at or outcome.learned_at or record.updated_at]
    last += [outcome.learned_at or last[0]]
    # The clocks of ECS and Lambda differ a little: X-Ray takes no end before its begin.
    *moments, learned = accumulate(map(_seconds, [*begins.values(), *last]), max)
    spans = zip(begins, pairwise(moments), strict=True)
    return [_Part(name, *span) for name, span in spans], learned


def _failed_in(phases: Sequence[str], outcome: Outcome) -> str:
    """Return the phase in which a failure happened: the last, or the pull if the image failed."""
    cause = cause_of(outcome.reasons) if isinstance(outcome, FailedToStart) else None
    if cause and cause.area is Area.IMAGE and _PULL in phases:
        # ECS shows the end of a pull, whether the pull succeeded or not.
        return _PULL
    return phases[-1]


def _subsegment(part: _Part, key: str) -> dict[str, Any]:
    return {
        "name": part.name,
        "id": _id(f"{key}/{part.name}"),
        "start_time": part.begin,
        "end_time": part.end,
    }


def _failure(outcome: Outcome, key: str) -> dict[str, Any]:
    """Return a segment's fields for a failure; empty for a success."""
    if outcome.succeeded:
        return {}
    message = " ".join(filter(None, (outcome.summary, outcome.detail)))
    told = {"id": _id(f"{key}/failure"), "type": outcome.kind, "message": message}
    return {"fault": True, "cause": {"exceptions": [told]}}


def _annotations(record: Record, outcome: Outcome) -> dict[str, str | int]:
    return {
        "executionId": record.execution_id,
        "flow": record.flow.value,
        "attempt": record.attempt,
        "outcome": outcome.kind,
        "learnedBy": outcome.learned_by or "",
    }


def _facts(record: Record, outcome: Outcome) -> dict[str, Any]:
    """Return a segment's metadata: facts to read, not to search for."""
    facts = {
        "executionArn": record.execution_arn,
        "taskArn": outcome.task_arn,
        "container": record.job.container,
        "capacity": outcome.capacity,
        "exitCode": outcome.exit_code,
        "advice": outcome.advice,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
