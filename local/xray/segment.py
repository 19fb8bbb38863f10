"""Segment documents, checked as X-Ray checks them.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local import nesting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Document = dict[str, Any]

_LARGEST = 64 * 1024
_LONGEST_NAME = 200
_SUBSEGMENT = "subsegment"
_TRACE_ID = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
_ID = re.compile(r"[0-9a-fA-F]{16}")
_NAME = re.compile(r"[\w\s.:/%&#=+,\\@-]+")
# Later than every clock, and not infinite.
_LAST_MOMENT = 1e12


class UnprocessedError(Exception):
    """X-Ray does not take a document.

    Attributes:
        answer: PutTraceSegments' answer about it.
    """

    def __init__(self, segment_id: str, kind: str, code: str, why: str) -> None:
        super().__init__(f"Invalid {kind}. ErrorCode: {code}, Cause: {why}")
        named = {"Id": segment_id} if segment_id else {}
        self.answer = {**named, "ErrorCode": code, "Message": str(self)}


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment, or a subsegment that was sent apart.

    Attributes:
        trace_id: id of the trace.
        id: id of the segment.
        is_complete: whether it has ended.
        text: the document, as compact text.
    """

    trace_id: str
    id: str
    is_complete: bool
    text: str

    @classmethod
    def of(cls, document: Document) -> Segment:
        """Return the segment of a valid document.

        Raises:
            ValueError: the document holds a value that is no JSON.
        """
        text = json.dumps(document, separators=(",", ":"), allow_nan=False)
        return cls(document["trace_id"], document["id"], is_complete(document), text)

    @property
    def document(self) -> Document:
        """A copy of the document."""
        return dict(json.loads(self.text))


def read(text: str) -> Segment:
    """Return the segment or subsegment of a document.

    Raises:
        UnprocessedError: X-Ray does not take the document.
    """
    if len(text.encode(errors="surrogatepass")) > _LARGEST:
        raise UnprocessedError("", "segment", "SegmentTooLarge", "a document has 64 kB at most")
    try:
        document = nesting.read(text)
    except ValueError as error:
        raise UnprocessedError("", "segment", "ParseError", str(error)) from error
    if not isinstance(document, dict):
        raise UnprocessedError("", "segment", "ParseError", "a document is an object")
    given = document.get("id")
    segment_id = given if isinstance(given, str) else ""
    for part in parts(document):
        is_sub = part is not document or is_subsegment(part)
        for code, why in _faults(part, _APART if part is document else _WITHIN):
            kind = _SUBSEGMENT if is_sub else "segment"
            raise UnprocessedError(segment_id, kind, code, why)
    try:
        return Segment.of(document)
    except ValueError as error:
        raise UnprocessedError(segment_id, "segment", "ParseError", str(error)) from error


def parts(document: Document) -> Iterator[Document]:
    """Yield a document, and its subsegments at any depth, each before those within it."""
    left = [document]
    while left:
        part = left.pop()
        yield part
        left += part.get("subsegments", ())


def is_subsegment(document: Mapping[str, Any]) -> bool:
    """Whether a separate document is a subsegment's."""
    return document.get("type") == _SUBSEGMENT


def is_complete(document: Mapping[str, Any]) -> bool:
    """Whether a segment or subsegment has ended."""
    return document.get("in_progress") is not True


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule of a field.

    Attributes:
        is_needed: whether every document must have it.
        holds: whether a value is valid in a document.
        form: words for the valid values.
    """

    is_needed: Callable[[Document], bool]
    holds: Callable[[Any, Document], bool]
    form: str


def _is_moment(value: object, _: Document, earliest: float = 0) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return earliest <= value < _LAST_MOMENT


def _is_end(value: object, document: Document) -> bool:
    return _is_moment(value, document, document["start_time"])


def _like(pattern: re.Pattern[str]) -> Callable[[object, Document], bool]:
    return lambda value, _: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_name(value: object, document: Document) -> bool:
    return _like(_NAME)(value, document) and len(str(value)) <= _LONGEST_NAME


def _are_parts(value: object, _: Document) -> bool:
    return isinstance(value, list) and all(isinstance(part, dict) for part in value)


# Rules by the fields' names; a field is checked after those before it are right.
_WITHIN: Mapping[str, _Rule] = {
    "id": _Rule(lambda _: True, _like(_ID), "16 hexadecimal digits"),
    "name": _Rule(
        lambda _: True, _is_name, "1 to 200 letters, digits, spaces or any of _.:/%&#=+,\\-@"
    ),
    "in_progress": _Rule(lambda _: False, lambda value, _: isinstance(value, bool), "a boolean"),
    "start_time": _Rule(lambda _: True, _is_moment, "seconds since 1970"),
    "end_time": _Rule(is_complete, _is_end, "seconds since 1970, no earlier than start_time"),
    "annotations": _Rule(lambda _: False, lambda value, _: isinstance(value, dict), "an object"),
    "subsegments": _Rule(lambda _: False, _are_parts, "a list of objects"),
}
_APART: Mapping[str, _Rule] = {
    **_WITHIN,
    "trace_id": _Rule(lambda _: True, _like(_TRACE_ID), "1-, 8 hexadecimal digits, - and 24"),
    "type": _Rule(lambda _: False, lambda value, _: value == _SUBSEGMENT, _SUBSEGMENT),
    "parent_id": _Rule(is_subsegment, _like(_ID), "16 hexadecimal digits"),
}


def _faults(part: Document, rules: Mapping[str, _Rule]) -> Iterator[tuple[str, str]]:
    """Yield the faults of one segment or subsegment: code, and words for the valid form."""
    for name, rule in rules.items():
        camel = name.title().replace("_", "")
        if name not in part:
            if rule.is_needed(part):
                yield f"Missing{camel}", f"{name} is missing: {rule.form}"
        elif not rule.holds(part[name], part):
            yield f"Invalid{camel}", f"{name} should be {rule.form}"
