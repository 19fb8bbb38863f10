"""Which executions a call is about, where its caller works for more than one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.token import CallbackToken

if TYPE_CHECKING:
    from collections.abc import Iterator

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TASK = re.compile(r"\b[0-9a-f]{32}\b")
_CALLBACK = re.compile(r"/durable-execution-callbacks/(?P<id>.+)/\w+ ")


class Subjects:
    """Finds executions by what requests name: records, executions, callbacks, tasks."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._by_task: dict[str, str] = {}

    def add(self, execution_id: str) -> None:
        """Know an execution."""
        self._known.add(execution_id)

    def add_task(self, task_arn: str, execution_id: str) -> None:
        """Know an execution by its task."""
        self._by_task[task_arn.rpartition("/")[2]] = execution_id

    def of(self, asked: str) -> list[str]:
        """Return the known executions that a request names, each once."""
        return list(dict.fromkeys(i for i in self._named(asked) if i in self._known))

    def _named(self, asked: str) -> Iterator[str]:
        if callback := _CALLBACK.search(asked):
            yield CallbackToken.from_str(callback["id"]).execution_arn.rpartition("/")[2]
        yield from _UUID.findall(asked)
        yield from (self._by_task.get(task, "") for task in _TASK.findall(asked))
