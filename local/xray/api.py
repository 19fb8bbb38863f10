"""X-Ray's API for segments and traces; moto answers other operations."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from local import nesting
from local.errors import ApiError
from local.xray.segment import UnprocessedError, read
from local.xray.whole import WholeTrace, begun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from werkzeug.wrappers import Request

    from local.xray.traces import Traces

_MOST_TRACES = 5
# Characters that are shown of an unknown filter.
_SHOWN = 200
_FILTER = re.compile(
    r'\s*annotation(?:\.(?P<dotted>\w+)|\[(?P<bracketed>[\w.]+)\])\s*=\s*"(?P<text>[^"\\]*)"\s*'
)
_KNOWN = 'Known here are: annotation.NAME = "text" | annotation[NAME] = "text"'


class XRayApi:
    """Takes segments, and shows traces.

    Args:
        traces: the traces, which keep the segments.
        account: the account of the traces.
    """

    def __init__(self, traces: Traces, account: str) -> None:
        self._traces, self._account = traces, account
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "PutTraceSegments": self._put,
            "BatchGetTraces": self._get,
            "GetTraceSummaries": self._summarise,
        }

    def __call__(self, request: Request, operation: str) -> dict[str, Any] | None:
        """Answer a request about traces; None leaves it to moto.

        Raises:
            ApiError: X-Ray would refuse the request, or its filter is not known here.
        """
        answer = self._operations.get(operation)
        return answer(_asked(request)) if answer else None

    def _put(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        unprocessed = []
        for text in _texts(asked, "TraceSegmentDocuments"):
            try:
                self._traces.put(read(text))
            except UnprocessedError as error:
                unprocessed.append(error.answer)
        return {"UnprocessedTraceSegments": unprocessed}

    def _get(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        ids = _texts(asked, "TraceIds")
        if len(ids) > _MOST_TRACES:
            raise _invalid(f"TraceIds should be {_MOST_TRACES} at most, not {len(ids)}")
        found = [WholeTrace(i, self._traces.segments(i), self._account) for i in ids]
        return {
            "Traces": [trace.shown() for trace in found if trace.documents],
            "UnprocessedTraceIds": [trace.trace_id for trace in found if not trace.documents],
        }

    def _summarise(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        start, end = (_moment(asked, name) for name in ("StartTime", "EndTime"))
        if asked.get("TimeRangeType", "TraceId") != "TraceId":
            raise _invalid(
                "Traces are found by the time of their begin here: TimeRangeType=TraceId"
            )
        wanted = _wanted(asked.get("FilterExpression"))
        found = list(self._begun(start, end))
        return {
            "TraceSummaries": [t.summary() for t in found if wanted is None or t.says(*wanted)],
            "TracesProcessedCount": len(found),
            "ApproximateTime": time.time(),
        }

    def _begun(self, start: float, end: float) -> Iterator[WholeTrace]:
        for trace_id, segments in self._traces.all():
            if start <= begun(trace_id) <= end:
                trace = WholeTrace(trace_id, segments, self._account)
                if trace.documents:
                    yield trace


def _wanted(expression: object) -> tuple[str, str] | None:
    """Return the annotation that a filter asks for, and its text; None for all traces.

    Raises:
        ApiError: the filter asks for something else.
    """
    if expression is None:
        return None
    found = _FILTER.fullmatch(expression) if isinstance(expression, str) else None
    if found is None:
        raise _invalid(f"Not known here: {str(expression)[:_SHOWN]}. {_KNOWN}")
    return found["dotted"] or found["bracketed"], found["text"]


def _asked(request: Request) -> Mapping[str, Any]:
    try:
        asked = nesting.read(request.get_data() or b"{}")
    except ValueError as error:
        raise _invalid(f"Could not parse request body into json: {error}") from error
    if not isinstance(asked, dict):
        raise _invalid("The request's body should be an object")
    return asked


def _texts(asked: Mapping[str, Any], name: str) -> list[str]:
    given = asked.get(name)
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise _invalid(f"{name} should be a list of texts")
    return given


def _moment(asked: Mapping[str, Any], name: str) -> float:
    given = asked.get(name)
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise _invalid(f"{name} should be a number of seconds")
    return given


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidRequestException", message)
