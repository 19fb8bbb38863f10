"""The columns of a record that workers write: any worker may, so any value can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

# The columns that the task's role may write.
COLUMNS = ("ticket", "status", "result", "error", "resultUri", "progress")
# The `resultUri` of a result that was emptied because it left the stack no room to write. It is no
# address.
EMPTIED = "emptied"
_TICKET = re.compile(r"[0-9a-f]{32}")
# As long as every ticket: a request's length is checked before the ticket is drawn.
TICKET_RESERVE = "0" * 32
LENGTHS = {"summary": 1_000, "detail": 2_000, "advice": 1_000}
# Longer than every address in S3.
MAX_URI = 1_100
LONGEST_PROGRESS = 500
# Longer than every moment in ISO 8601, even with nanoseconds.
LONGEST_MOMENT = 40
_EXIT_CODES, _PERCENTS = range(256), range(101)


def ticket(value: object) -> str | None:
    """Return an attempt's ticket; None for what is not of a ticket's form."""
    return value if isinstance(value, str) and _TICKET.fullmatch(value) else None


def text(value: object) -> str | None:
    """Return a value as JSON text, whatever DynamoDB type it has."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=_plain)


def words(error: object) -> dict[str, Any]:
    """Return the parts taken from a worker's error: summary, detail, advice, cut, and exit code.

    The stack itself sets kind, task, attempt and evidence. Anything but a map is a summary.
    """
    given = error if isinstance(error, Mapping) else {"summary": error}
    taken: dict[str, Any] = {}
    for name, length in LENGTHS.items():
        if said := text(given.get(name)):
            taken[name] = _cut(said, length)
    code = _within(given.get("exitCode"), _EXIT_CODES)
    return taken if code is None else {**taken, "exitCode": code}


def uri(value: object) -> str | None:
    """Return the address that a worker names for its result, cut; a cut text is no address."""
    said = text(value)
    return None if said is None else _cut(said, MAX_URI)


def progress(value: object) -> dict[str, Any] | None:
    """Return the parts taken from a worker's progress; None where no part can be read.

    Returns:
        percent (0 to 100), message (cut) and at (ISO 8601, with its time zone), each where it is
        readable.
    """
    given = value if isinstance(value, Mapping) else {"message": value}
    said, percent = text(given.get("message")), _within(given.get("percent"), _PERCENTS)
    facts = {
        "percent": percent,
        "message": None if said is None else _cut(said, LONGEST_PROGRESS),
        "at": at if moment(at := given.get("at")) else None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None} or None


def moment(value: object) -> datetime | None:
    """Return the moment that an ISO 8601 text with a time zone names; None for anything else."""
    if not isinstance(value, str) or len(value) > LONGEST_MOMENT:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo else None


def reworded(error: Mapping[str, Any], said: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the stack's error, with its worker's words in place of its own where there are any.

    The exit code is ECS's, where ECS has one.
    """
    code = error["exitCode"]
    return {**error, **(said or {}), **({} if code is None else {"exitCode": code})}


def _cut(said: str, length: int) -> str:
    # DynamoDB refuses lone surrogates.
    said = said.encode(errors="replace").decode()
    return said if len(said) <= length else f"{said[: length - 1]}…"


def _within(value: object, numbers: range) -> int | None:
    """Return a whole number that lies within a range; None for anything else."""
    # True is 1 to Python.
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        return None
    return int(value) if value in numbers else None


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set):
        return sorted(map(_plain, value), key=str)
    # boto3 wraps DynamoDB's binary values.
    binary = getattr(value, "value", value)
    return binary.decode(errors="replace") if isinstance(binary, bytes) else str(value)
