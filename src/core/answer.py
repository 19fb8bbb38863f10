"""The answer to a callback: how its task ended, as the waiting execution reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.outcome import Outcome, from_dict

# Bytes that Lambda takes as a callback's result, and keeps of a step's value and an error's data.
MAX_ANSWER_BYTES = 262_144
_MARGIN = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """A callback's answer: how the task ended, and what its container handed over.

    Attributes:
        result: whatever JSON can hold; None where the container handed nothing over.
        result_uri: where in S3 the container has left its result; None where it said nothing.
    """

    outcome: Outcome
    result: Any = None
    result_uri: str | None = None

    @classmethod
    def of(cls, outcome: Outcome, result: str | None, result_uri: str | None = None) -> Answer:
        """Answer with a success's result as the record holds it; a failure has none."""
        return cls(outcome, decoded(result), result_uri) if outcome.succeeded else cls(outcome)

    def text(self) -> str:
        """JSON text, in ASCII and as small as can be."""
        answer = {"outcome": self.outcome.to_dict(), "result": self.result}
        answer["resultUri"] = self.result_uri
        return json.dumps(answer, separators=(",", ":"))

    @classmethod
    def read(cls, text: str | None) -> Answer | None:
        """Read the JSON text of any version's answer; None where somebody else wrote it."""
        try:
            answer = json.loads(text or "")
            outcome, uri = from_dict(answer["outcome"]), answer.get("resultUri")
            return cls(outcome, answer.get("result"), uri if isinstance(uri, str) else None)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


def decoded(result: str | None) -> object:
    """Return a record's result as a value; text that is no JSON, as the text that it is."""
    if result is None:
        return None
    try:
        value = json.loads(result)
        # Python reads NaN and Infinity, and takes 1e999 for one; no other reader of JSON does.
        # An answer nests it deeper, and may not be the first to find that it is too deep.
        json.dumps(json.loads(f"{'[' * _MARGIN}{result}{']' * _MARGIN}"), allow_nan=False)
    except (ValueError, RecursionError):
        return result
    return value
