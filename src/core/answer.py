"""What the task-state function tells the waiting execution."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.outcome import Outcome, from_dict


@dataclass(frozen=True, slots=True)
class Answer:
    """A callback's answer: how the task ended, and what its container handed over.

    Attributes:
        result: the container's result as JSON text; None where it reported none.
    """

    outcome: Outcome
    result: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; the result is embedded, not quoted a second time."""
        result = None if self.result is None else json.loads(self.result)
        return {"outcome": self.outcome.to_dict(), "result": result}

    @classmethod
    def read(cls, text: str | None) -> Answer | None:
        """Read an answer's JSON text; None where somebody else wrote it."""
        try:
            told = json.loads(text or "")
            result = told["result"]
            return cls(from_dict(told["outcome"]), None if result is None else json.dumps(result))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
