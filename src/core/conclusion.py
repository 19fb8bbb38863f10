"""The end of an execution, from which its result or its error is made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.answer import MAX_ANSWER_BYTES, decoded
from core.evidence import Evidence
from core.handover import IN_RECORD, handed_over, handed_over_at, told
from core.outcome import Outcome, from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.record import Record


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of an execution.

    Attributes:
        outcome: how its last task ended, or why there was none.
        result: the result that the container handed over before it succeeded, or before the
            attempt's own timeout: any JSON value; None for no result.
        evidence: the evidence that a failed task leaves; None where no task failed.
        result_uri: the S3 address of a result that was left before such an end; None where the
            container named none.
    """

    outcome: Outcome
    result: Any = None
    evidence: Evidence | None = None
    result_uri: str | None = None

    @classmethod
    def of(
        cls,
        record: Record,
        outcome: Outcome,
        evidence: Evidence | None,
        facts: Mapping[str, Any],
    ) -> Conclusion:
        """Return the conclusion, with the container's result from the record.

        Args:
            record: the execution's record.
            outcome: how its last task ended.
            evidence: the evidence that a failed task leaves.
            facts: the same as for `error_data`.
        """
        if outcome.succeeded:
            return cls(outcome, decoded(record.result), result_uri=record.result_uri)
        uri = handed_over_at(record, outcome)
        ended = cls(told(record, outcome), handed_over(record, outcome), evidence, uri)
        # The step that returns this has the same limit as the error.
        if len(ended.error_data(facts)) <= MAX_ANSWER_BYTES:
            return ended
        return cls(told(record, outcome, IN_RECORD), evidence=evidence, result_uri=uri)

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`."""
        ended = {"outcome": self.outcome.to_dict(), "result": self.result}
        ended["resultUri"] = self.result_uri
        return ended | ({"evidence": self.evidence.to_dict()} if self.evidence else {})

    def error_data(self, facts: Mapping[str, Any]) -> str:
        """Return the data of the error with which a failure ends the execution.

        Args:
            facts: the fields that every error of the execution has.

        Returns:
            JSON text: ASCII, without spaces.
        """
        left = self.evidence.to_dict() if self.evidence else {}
        data = {**facts, **left, **self.outcome.to_dict()}
        left_over = {"result": self.result, "resultUri": self.result_uri}
        data |= {name: value for name, value in left_over.items() if value is not None}
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Conclusion:
        """Rebuild a conclusion from its JSON form."""
        found = data.get("evidence")
        evidence = Evidence.from_dict(found) if found else None
        return cls(from_dict(data["outcome"]), data["result"], evidence, data.get("resultUri"))
