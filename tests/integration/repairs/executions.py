"""Durable executions in any status: the test runner knows no PAUSED one, and forgets none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from core.answer import Answer
from tests.integration.aws import error

if TYPE_CHECKING:
    from core.record import Record


@dataclass
class Executions:
    """Lambda's side: an execution RUNS until a test says otherwise.

    Attributes:
        statuses: of executions, by the ids of their records; None is not known to Lambda.
        errors: data of the errors of failed executions, by the ids of their records.
        answers: that had an effect, by callback id: a callback takes one.
        asked: ids of the executions that were asked about, in order.
    """

    statuses: dict[str, str | None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answer | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def set(self, record: Record, status: str | None) -> None:
        """Give a record's execution a status."""
        self.statuses[record.execution_id] = status

    def fail(self, record: Record, data: str) -> None:
        """End a record's execution with an error that has this data."""
        self.set(record, "FAILED")
        self.errors[record.execution_id] = data

    def answer(self, record: Record) -> Answer:
        """Return the answer that a record's callback took."""
        answer = self.answers[record.callback_id or ""]
        assert answer is not None
        return answer

    def answered(self, model: Any, params: dict[str, Any], **_: object) -> dict[str, Any]:
        """Return Lambda's answer to a call."""
        resource, last = unquote(params["url_path"]).split("/")[-2:]
        if model.name == "GetDurableExecution":
            self.asked.append(last)
            status = self.statuses.get(last, "RUNNING")
            told = {"Error": {"ErrorData": self.errors[last]}} if last in self.errors else {}
            known = {"Status": status, **told}
            return known if status else error("ResourceNotFoundException")
        # /2025-12-01/durable-execution-callbacks/ID/succeed
        status = self.statuses.get(resource.removeprefix("callback-"), "RUNNING")
        if status != "RUNNING" or resource in self.answers:
            return error("CallbackTimeoutException")
        body = params["body"].decode()
        failed = model.name.endswith("Failure")
        self.answers[resource] = Answer.read(json.loads(body)["ErrorData"] if failed else body)
        return {}
