"""The entries that a record keeps of its ended attempts: ECS forgets a task within the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.outcome.kinds import MOMENTS
from core.retry import MAX_ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.outcome import Outcome
    from core.record import Record

_FACTS = ("taskArn", "exitCode", *MOMENTS.values(), "capacity", "learnedBy", "learnedAt")
# ECS's limits of length: a longer text is not ECS's. An entry stays below 1 KB.
_LONGEST: Mapping[str, int] = {"taskArn": 340, "capacity": 255}
_LONGEST_KIND, _LONGEST_MOMENT = 40, 32


def entries(record: Record, outcome: Outcome) -> list[Mapping[str, Any]]:
    """Return the record's entries once its attempt has ended: oldest first, at most ten.

    An entry has attempt, kind, taskArn, exitCode, the task's own times and capacity, learnedBy and
    learnedAt; unknown facts are left out. Where ECS has named no capacity, the entry has the one
    that the last launch asked for.

    An attempt that has not begun has no end: its record's entries stay as they are.
    """
    if record.is_backing_off:
        return list(record.attempts)
    return [*record.attempts, _entry(record, outcome)][-MAX_ATTEMPTS:]


def _entry(record: Record, outcome: Outcome) -> dict[str, Any]:
    told = outcome.to_dict()
    if told["capacity"] is None and record.capacity:
        told["capacity"] = record.capacity.provider
    facts = {name: told[name] for name in _FACTS if _is_kept(name, told[name])}
    return {"attempt": record.attempt, "kind": outcome.kind[:_LONGEST_KIND], **facts}


def _is_kept(name: str, value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and len(value) <= _LONGEST.get(name, _LONGEST_MOMENT)
    return value is not None
