"""The columns of a record that workers write: any worker may, so any value is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

# The columns that the task's role may write.
COLUMNS = ("ticket", "status", "result", "error", "resultUri", "progress")
_TICKET = re.compile(r"[0-9a-f]{32}")
# As long as every ticket: what a launch will need is known before one is drawn.
TICKET_RESERVE = "0" * 32
LENGTHS = {"summary": 1_000, "detail": 2_000, "advice": 1_000}
_EXIT_CODES = range(256)


def ticket(value: object) -> str | None:
    """Return an attempt's ticket; None for what is not of a ticket's form."""
    return value if isinstance(value, str) and _TICKET.fullmatch(value) else None


def text(value: object) -> str | None:
    """Return a value as JSON text, of whatever DynamoDB type a worker has stored it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=_plain)


def words(error: object) -> dict[str, Any]:
    """Return what is taken of a worker's error: summary, detail and advice, cut, and an exit code.

    Kind, task, attempt and evidence are for the stack to say. Anything but a map is a summary.
    """
    given = error if isinstance(error, Mapping) else {"summary": error}
    taken: dict[str, Any] = {}
    for name, length in LENGTHS.items():
        if said := text(given.get(name)):
            # DynamoDB takes no half of a character back.
            said = said.encode(errors="replace").decode()
            taken[name] = said if len(said) <= length else f"{said[: length - 1]}…"
    code = given.get("exitCode")
    # True is 1 to Python.
    if isinstance(code, (int, Decimal)) and not isinstance(code, bool) and code in _EXIT_CODES:
        taken["exitCode"] = int(code)
    return taken


def reworded(error: Mapping[str, Any], said: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an error of the stack's in its worker's words, as far as there are any.

    The exit code is ECS's, where ECS tells one.
    """
    code = error["exitCode"]
    return {**error, **(said or {}), **({} if code is None else {"exitCode": code})}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set):
        return sorted(map(_plain, value), key=str)
    # boto3 wraps DynamoDB's binary values.
    binary = getattr(value, "value", value)
    return binary.decode(errors="replace") if isinstance(binary, bytes) else str(value)
