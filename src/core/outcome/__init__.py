"""How a task ended: the outcome types and `classify`."""

from core.outcome.beside import OtherContainer
from core.outcome.causes import CAUSES, TOO_BUSY, Cause, cause_of, is_transient
from core.outcome.classification import (
    classify,
    has_begun,
    is_ending,
    so_far,
    stop_reason,
)
from core.outcome.kinds import (
    KINDS,
    NOT_FETCHED,
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    InfrastructureLost,
    Missing,
    Outcome,
    OutOfMemory,
    SpotInterrupted,
    StoppedByUser,
    Succeeded,
    TimedOut,
    UnknownKind,
    from_dict,
    reclassified,
)

__all__ = [
    "CAUSES",
    "KINDS",
    "NOT_FETCHED",
    "TOO_BUSY",
    "ApplicationFailed",
    "Cancelled",
    "Cause",
    "FailedToStart",
    "InfrastructureLost",
    "Missing",
    "OtherContainer",
    "OutOfMemory",
    "Outcome",
    "SpotInterrupted",
    "StoppedByUser",
    "Succeeded",
    "TimedOut",
    "UnknownKind",
    "cause_of",
    "classify",
    "from_dict",
    "has_begun",
    "is_ending",
    "is_transient",
    "reclassified",
    "so_far",
    "stop_reason",
]
