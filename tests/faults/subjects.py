"""Which executions a call is about, where its caller works for more than one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.token import CallbackToken

from tests.e2e.user import id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TASK = re.compile(r"\b[0-9a-f]{32}\b")
_CALLBACK = re.compile(r"/durable-execution-callbacks/(?P<id>.+)/\w+ ")


def subjects(asked: str, by_task: Mapping[str, str]) -> Iterator[str]:
    """Yield the executions that a request names: by themselves, a record, a callback or a task.

    Args:
        asked: path and body of the request.
        by_task: executions by the ids of their tasks.
    """
    if callback := _CALLBACK.search(asked):
        yield id_of(CallbackToken.from_str(callback["id"]).execution_arn)
    yield from _UUID.findall(asked)
    yield from (by_task[task] for task in _TASK.findall(asked) if task in by_task)
