"""What the container was told, all of it through its environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one execution's work.

    Attributes:
        execution_id: key of the record and correlation id of every log line.
        flow: its name, as the record has it.
        attempt: which try this is, from 1.
        message: the payload's text.
        processing_time: seconds to work.
        record_table: table to report to; None where nobody reads a report.
        ticket: by which the record takes this attempt's writes; None where it takes none.
        exit_code: failure asked for, 0 for none.
    """

    execution_id: str
    flow: str
    attempt: int
    message: str
    processing_time: int
    record_table: str | None = None
    ticket: str | None = None
    exit_code: int = 0

    @property
    def tells_result(self) -> bool:
        """Whether there is a record that takes this attempt's writes."""
        return bool(self.record_table and self.ticket)

    @property
    def tells_end(self) -> bool:
        """Whether the record's status is the worker's to write: nobody waits for this task."""
        return self.tells_result and self.flow == "dynamodb"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Assignment:
        """Read the variables that RunTask's overrides set.

        Raises:
            KeyError, ValueError: one is missing or malformed.
        """
        return cls(
            execution_id=environment["EXECUTION_ID"],
            flow=environment["EXECUTION_FLOW"],
            attempt=int(environment["EXECUTION_ATTEMPT"]),
            message=environment["MESSAGE"],
            processing_time=int(environment["PROCESSING_TIME"]),
            record_table=environment.get("RECORD_TABLE"),
            ticket=environment.get("EXECUTION_TICKET"),
            exit_code=int(json.loads(environment.get("SIMULATE", "{}")).get("exitCode", 0)),
        )
