"""How a task ended: the outcome types and `classify`."""

from core.outcome.classification import TOO_BUSY, classify, is_transient, so_far, stop_reason
from core.outcome.kinds import (
    KINDS,
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
    "KINDS",
    "TOO_BUSY",
    "ApplicationFailed",
    "Cancelled",
    "FailedToStart",
    "InfrastructureLost",
    "Missing",
    "OutOfMemory",
    "Outcome",
    "SpotInterrupted",
    "StoppedByUser",
    "Succeeded",
    "TimedOut",
    "UnknownKind",
    "classify",
    "from_dict",
    "is_transient",
    "reclassified",
    "so_far",
    "stop_reason",
]
