"""The container's assignment, read from its environment variables alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from worker import data

if TYPE_CHECKING:
    from collections.abc import Mapping


# The payload's defaults, for a payload that says what runs and leaves the demo's fields out.
DEFAULT_MESSAGE, DEFAULT_PROCESSING_TIME = "No message provided", 5


@dataclass(frozen=True)
class Assignment:
    """One attempt at one execution's work.

    Attributes:
        execution_id: key of the record and correlation id of every log line.
        flow: name of the flow, as the record has it.
        attempt: number of the try, from 1.
        message: the payload's text.
        processing_time: seconds to work.
        record_table: table to report to; None where nothing reads a report.
        ticket: condition of this attempt's writes to the record; None where it takes no writes.
        exit_code: exit code of a simulated failure, 0 for none.
        input_text: the payload's `input` as JSON text, if a variable holds it.
        input_uri: address of the input in S3, if no variable holds it.
        result_uri: a prefix in S3 that is this attempt's own, with a slash at its end; None where
            it has none.
    """

    execution_id: str
    flow: str
    attempt: int
    message: str
    processing_time: int
    record_table: str | None = None
    ticket: str | None = None
    exit_code: int = 0
    input_text: str | None = None
    input_uri: str | None = None
    result_uri: str | None = None

    @cached_property
    def input(self) -> Any:  # noqa: ANN401 - it is whatever JSON the payload holds
        """The payload's `input`, or what its `inputUri` holds, parsed; None where it has neither.

        Raises:
            ValueError: the text is no JSON.
            botocore.exceptions.ClientError: S3 refused it, or did not answer.
        """
        if self.input_uri:
            return json.loads(data.get(self.input_uri))
        return None if self.input_text is None else json.loads(self.input_text)

    @property
    def tells_result(self) -> bool:
        """Whether there is a record that takes this attempt's writes."""
        return bool(self.record_table and self.ticket)

    @property
    def tells_end(self) -> bool:
        """Whether the worker writes the record's status, for no execution waits for this task."""
        return self.tells_result and self.flow == "dynamodb"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Assignment:
        """Read the variables that RunTask's overrides set.

        Raises:
            KeyError, ValueError: a variable is missing or malformed.
        """
        return cls(
            execution_id=environment["EXECUTION_ID"],
            flow=environment["EXECUTION_FLOW"],
            attempt=int(environment["EXECUTION_ATTEMPT"]),
            message=environment.get("MESSAGE", DEFAULT_MESSAGE),
            processing_time=int(environment.get("PROCESSING_TIME", DEFAULT_PROCESSING_TIME)),
            record_table=environment.get("RECORD_TABLE"),
            ticket=environment.get("EXECUTION_TICKET"),
            exit_code=int(json.loads(environment.get("SIMULATE", "{}")).get("exitCode", 0)),
            input_text=environment.get("INPUT"),
            input_uri=environment.get("INPUT_URI"),
            result_uri=environment.get("RESULT_URI"),
        )
