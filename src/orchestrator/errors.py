"""The errors of an execution: subclasses of the SDK's, because only those keep their data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python import DurableOperationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from core.conclusion import Conclusion
    from core.reading import InvalidRequestError


class InvalidPayloadError(DurableOperationError):
    """The payload was refused; `data` is JSON: field, value, expected."""

    @classmethod
    def of(cls, error: InvalidRequestError) -> InvalidPayloadError:
        """Return the error of a refused payload."""
        found = {"field": error.field, "value": error.value, "expected": error.expected}
        return cls(str(error), data=json.dumps(found))


class TaskFailedError(DurableOperationError):
    """The task failed or never ran.

    `data` is JSON: the outcome's fields (kind, succeeded, taskArn, exitCode, createdAt,
    pullStartedAt, pullStoppedAt, startedAt, stoppingAt, stoppedAt, capacity, endedBy, summary,
    detail, advice, and transient of FailedToStart) with executionId, flow and attempt and, where
    there was a task, the evidence (logGroup, logStream, consoleLink, logTail and, of a container
    beside the main one that ended it, otherLogStream, otherLogTail); `result` and
    `resultUri` of a timeout whose container had handed them over.
    """

    @classmethod
    def of(cls, conclusion: Conclusion, facts: Mapping[str, Any]) -> TaskFailedError:
        """Return the error: summary, detail and advice in its message, all fields in its data."""
        outcome = conclusion.outcome
        sentences = (f"{outcome.kind}: {outcome.summary}", outcome.detail, outcome.advice)
        message = " ".join(part if part.endswith(".") else f"{part}." for part in sentences if part)
        return cls(message, data=conclusion.error_data(facts))
