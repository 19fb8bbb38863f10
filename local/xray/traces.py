"""The traces that segments make."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.xray.segment import Segment

# Characters of all documents: some 30,000 segments.
_MOST = 2**24


class Traces:
    """Keeps segments by their traces, and drops the traces without a segment for the longest time.

    The last complete segment of an id counts. A segment in progress replaces no complete one.

    Args:
        most: highest number of characters of all documents.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._size = most, 0
        self._lock = threading.Lock()
        self._traces: OrderedDict[str, dict[str, Segment]] = OrderedDict()

    def __contains__(self, trace_id: str) -> bool:
        """Whether a segment of a trace is kept."""
        with self._lock:
            return trace_id in self._traces

    def put(self, segment: Segment) -> None:
        """Keep a segment."""
        with self._lock:
            trace = self._traces.setdefault(segment.trace_id, {})
            self._traces.move_to_end(segment.trace_id)
            before = trace.get(segment.id)
            if before and before.is_complete and not segment.is_complete:
                return
            trace[segment.id] = segment
            self._size += len(segment.text) - _size([before] if before else [])
            while self._size > self._most:
                _, forgotten = self._traces.popitem(last=False)
                self._size -= _size(forgotten.values())

    def segments(self, trace_id: str) -> list[Segment]:
        """Return the segments of a trace, in the order in which they first came."""
        with self._lock:
            return list(self._traces.get(trace_id, {}).values())

    def all(self) -> list[tuple[str, list[Segment]]]:
        """Return the ids of all traces with their segments."""
        with self._lock:
            return [(trace_id, list(trace.values())) for trace_id, trace in self._traces.items()]


def _size(segments: Iterable[Segment]) -> int:
    return sum(len(segment.text) for segment in segments)
