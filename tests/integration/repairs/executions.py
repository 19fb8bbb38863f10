"""Durable executions in any status: the test runner has none that is DELETING, and forgets none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from core.answer import Answer
from tests.integration.aws import error

if TYPE_CHECKING:
    from core.record import Record

_RUNNING = {"Status": "RUNNING"}


@dataclass
class Executions:
    """Lambda's side: an execution RUNS until a test says otherwise.

    Attributes:
        shown: what GetDurableExecution shows, by the ids of records; None if it knows nothing.
        answers: that had an effect, by callback id: a callback takes one.
        asked: ids of the executions that were asked about, in order.
    """

    shown: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    answers: dict[str, Answer | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def set(self, record: Record, status: str | None, **more: object) -> None:
        """Give a record's execution a status, and what else is shown of it."""
        self.shown[record.execution_id] = {"Status": status, **more} if status else None

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
            return self.shown.get(last, _RUNNING) or error("ResourceNotFoundException")
        # /2025-12-01/durable-execution-callbacks/ID/succeed
        execution = self.shown.get(resource.removeprefix("callback-"), _RUNNING)
        if execution != _RUNNING or resource in self.answers:
            return error("CallbackTimeoutException")
        body = params["body"].decode()
        failed = model.name.endswith("Failure")
        self.answers[resource] = Answer.read(json.loads(body)["ErrorData"] if failed else body)
        return {}
