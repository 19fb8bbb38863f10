"""A trace as a whole: its segments with their subsegments, and its summary."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from local import nesting
from local.xray.segment import is_complete, is_subsegment, parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from local.xray.segment import Document, Segment

_KEY = re.compile(r"[\w.]+")


class WholeTrace:
    """A whole trace.

    Args:
        trace_id: id of the trace.
        segments: its segments as they were sent, in any order.
        account: the account of the trace.

    Attributes:
        trace_id: the trace's.
        documents: its segments, the earliest first. A subsegment that was sent apart is in its
            parent, and is left out if the parent is missing.
    """

    def __init__(self, trace_id: str, segments: Iterable[Segment], account: str) -> None:
        self.trace_id, self._account = trace_id, account
        self.documents = _put_together([segment.document for segment in segments])

    def shown(self) -> dict[str, Any]:
        """Return BatchGetTraces' view of it.

        Raises:
            RecursionError: subsegments are nested more deeply than they are read here.
        """
        return {
            "Id": self.trace_id,
            "Duration": self._duration(self.documents),
            "LimitExceeded": False,
            "Segments": [{"Id": d["id"], "Document": _written(d)} for d in self.documents],
        }

    def summary(self) -> dict[str, Any]:
        """Return GetTraceSummaries' view of it."""
        everything = [part for document in self.documents for part in parts(document)]
        ids = {part["id"] for part in everything}
        entry = next(
            (d for d in self.documents if d.get("parent_id") not in ids), self.documents[0]
        )
        services = {json.dumps(s): s for s in map(self._service, self.documents)}
        return {
            "Id": self.trace_id,
            "StartTime": self.documents[0]["start_time"],
            "Duration": self._duration(self.documents),
            "ResponseTime": self._duration([entry]),
            "HasFault": _says(everything, "fault"),
            "HasError": _says(everything, "error"),
            "HasThrottle": _says(everything, "throttle"),
            "IsPartial": not all(map(is_complete, everything)),
            "Annotations": self._annotations(),
            "EntryPoint": self._service(entry),
            "ServiceIds": list(services.values()),
        }

    def says(self, name: str, text: str) -> bool:
        """Whether an annotation of that name has that text."""
        return any(
            value == text
            for document in self.documents
            for part in parts(document)
            for key, value in _annotated(part)
            if key == name
        )

    def _annotations(self) -> dict[str, list[dict[str, Any]]]:
        """Return the values of each annotation by its name, each with its services."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for document in self.documents:
            service = self._service(document)
            for part in parts(document):
                for name, value in _annotated(part):
                    typed = {_TYPES[type(value)]: value}
                    said = found.setdefault(name, {}).setdefault(
                        json.dumps(typed), {"AnnotationValue": typed, "ServiceIds": []}
                    )
                    if service not in said["ServiceIds"]:
                        said["ServiceIds"].append(service)
        return {name: list(values.values()) for name, values in found.items()}

    def _service(self, document: Document) -> dict[str, Any]:
        named = {"Name": document["name"], "Names": [document["name"]], "AccountId": self._account}
        origin = document.get("origin")
        return {**named, "Type": origin} if isinstance(origin, str) else named

    @staticmethod
    def _duration(documents: Sequence[Document]) -> float:
        """Return the seconds from the first begin to the last known end."""
        begins = [float(d["start_time"]) for d in documents]
        ends = [float(d["end_time" if "end_time" in d else "start_time"]) for d in documents]
        return round(max(ends) - min(begins), 3)


def begun(trace_id: str) -> int:
    """Return the begin of a trace, which its id holds, in seconds since 1970."""
    return int(trace_id.split("-")[1], 16)


_TYPES: Mapping[type, str] = {
    str: "StringValue",
    bool: "BooleanValue",
    int: "NumberValue",
    float: "NumberValue",
}


def _annotated(part: Document) -> Iterator[tuple[str, str | bool | float]]:
    """Yield the annotations that X-Ray takes; it ignores others."""
    for name, value in part.get("annotations", {}).items():
        if type(value) in _TYPES and _KEY.fullmatch(name):
            yield name, value


def _written(document: Document) -> str:
    text = json.dumps(document)
    if nesting.is_too_deep(text.encode()):
        raise RecursionError(nesting.TOO_DEEP)
    return text


def _says(everything: Iterable[Document], flag: str) -> bool:
    return any(part.get(flag) is True for part in everything)


def _put_together(documents: Sequence[Document]) -> list[Document]:
    """Return the segments with their subsegments, the earliest first."""
    places = {part["id"]: part for d in documents for part in parts(d) if part is not d}
    for document in documents:
        _add(document, places)
    within: dict[str, dict[str, Document]] = {}
    for document in filter(is_subsegment, documents):
        if parent := places.get(document["parent_id"]):
            if parent["id"] not in within:
                there = parent.get("subsegments", ())
                within[parent["id"]] = {part["id"]: part for part in there}
            _add(document, within[parent["id"]])
    for parent_id, subsegments in within.items():
        places[parent_id]["subsegments"] = list(subsegments.values())
    segments = [document for document in documents if not is_subsegment(document)]
    return sorted(segments, key=lambda document: float(document["start_time"]))


def _add(document: Document, by_id: dict[str, Document]) -> None:
    """Add a document; if its parent holds it too, the complete one counts."""
    if document["id"] not in by_id or is_complete(document):
        by_id[document["id"]] = document
