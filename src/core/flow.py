"""The flows, and the properties in which they differ."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Flow(StrEnum):
    """How an execution learns the end of its task."""

    POLLING = "polling"
    DYNAMODB = "dynamodb"
    EVENTBRIDGE = "eventbridge"

    @property
    def is_awaited(self) -> bool:
        """Whether the execution lasts until its task has ended, and reports the outcome."""
        return _TRAITS[self].is_awaited

    @property
    def has_callback(self) -> bool:
        """Whether the execution waits for a durable callback."""
        return _TRAITS[self].has_callback

    @property
    def takes_result(self) -> bool:
        """Whether the container knows its record, and may write a result into it."""
        return _TRAITS[self].takes_result

    @property
    def worker_reports_end(self) -> bool:
        """Whether the record's status is the worker's to write."""
        return _TRAITS[self].worker_reports_end


class _Traits(NamedTuple):
    is_awaited: bool = False
    has_callback: bool = False
    takes_result: bool = False
    worker_reports_end: bool = False


_TRAITS: Mapping[Flow, _Traits] = {
    Flow.POLLING: _Traits(is_awaited=True),
    Flow.DYNAMODB: _Traits(takes_result=True, worker_reports_end=True),
    Flow.EVENTBRIDGE: _Traits(is_awaited=True, has_callback=True, takes_result=True),
}
