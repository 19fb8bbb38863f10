"""Traces as X-Ray's API tells them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Earlier and later than any clock here tells.
EVER = {"StartTime": 0, "EndTime": 4e9}


@dataclass(frozen=True, slots=True)
class Traced:
    """A trace.

    Attributes:
        id: the trace's.
        segments: their documents, in order.
    """

    id: str
    segments: list[dict[str, Any]]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Its segments and subsegments."""
        return list(_parts(self.segments))

    @property
    def roots(self) -> list[dict[str, Any]]:
        """The segments that hang on nothing."""
        return [segment for segment in self.segments if "parent_id" not in segment]

    @property
    def strays(self) -> list[dict[str, Any]]:
        """The parts below a parent that is not in the trace."""
        ids = {part["id"] for part in self.parts}
        return [part for part in self.parts if part.get("parent_id", part["id"]) not in ids]

    def of(self, origin: str) -> list[dict[str, Any]]:
        """Return the segments of one origin."""
        return [segment for segment in self.segments if segment.get("origin") == origin]


def traced(xray: Any, trace_id: str) -> Traced | None:
    """Return a trace; None if X-Ray knows none."""
    found = xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
    return next((_traced(trace) for trace in found), None)


def annotated(xray: Any, name: str, text: str) -> list[Traced]:
    """Return the traces that have an annotation."""
    asked = {**EVER, "FilterExpression": f'annotation.{name} = "{text}"'}
    ids = [summary["Id"] for summary in xray.get_trace_summaries(**asked)["TraceSummaries"]]
    return [found for trace_id in ids if (found := traced(xray, trace_id))]


def root_of(header: str) -> str:
    """Return the id of the trace that a header names."""
    fields = dict(part.split("=") for part in header.split(";"))
    return fields["Root"]


def _traced(trace: dict[str, Any]) -> Traced:
    return Traced(trace["Id"], [json.loads(segment["Document"]) for segment in trace["Segments"]])


def _parts(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for document in documents:
        yield document
        yield from _parts(document.get("subsegments", []))
