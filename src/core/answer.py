"""The answer to a callback: how its task ended, as the waiting execution reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.outcome import Outcome, from_dict

# Lambda's limit in bytes for a callback's result, a step's value and an error's data.
MAX_ANSWER_BYTES = 262_144
_MARGIN = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """A callback's answer: how the task ended, and the result that its container handed over.

    Attributes:
        result: any JSON value; None where the container handed nothing over.
        result_uri: the S3 address of the result; None where the container named none.
    """

    outcome: Outcome
    result: Any = None
    result_uri: str | None = None

    @classmethod
    def of(cls, outcome: Outcome, result: str | None, result_uri: str | None = None) -> Answer:
        """Return the answer to an end: a success has the record's result, a failure has none."""
        return cls(outcome, decoded(result), result_uri) if outcome.succeeded else cls(outcome)

    def text(self) -> str:
        """Return JSON text: ASCII, without spaces."""
        answer = {"outcome": self.outcome.to_dict(), "result": self.result}
        answer["resultUri"] = self.result_uri
        return json.dumps(answer, separators=(",", ":"))

    @classmethod
    def read(cls, text: str | None) -> Answer | None:
        """Read the JSON text of an answer, of any version; None for any other text."""
        try:
            answer = json.loads(text or "")
            outcome, uri = from_dict(answer["outcome"]), answer.get("resultUri")
            return cls(outcome, answer.get("result"), uri if isinstance(uri, str) else None)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


def decoded(result: str | None) -> object:
    """Return a record's result as a value; text that is no JSON stays text."""
    if result is None:
        return None
    try:
        value = json.loads(result)
        # Python's parser accepts NaN, Infinity and 1e999; other JSON parsers do not.
        # An answer nests the result deeper, so a result that is then too deep is found here.
        json.dumps(json.loads(f"{'[' * _MARGIN}{result}{']' * _MARGIN}"), allow_nan=False)
    except (ValueError, RecursionError):
        return result
    return value
