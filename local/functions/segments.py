"""The segments of an invocation that Lambda itself sends to X-Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local import nesting
from local.iam import Access
from local.xray.segment import Segment
from local.xray.trace import new_id

if TYPE_CHECKING:
    from local.functions.configuration import Configuration
    from local.functions.sandbox import Answer
    from local.surroundings import Surroundings
    from local.xray import Trace

_SEND = Access("xray:PutTraceSegments", "*")
_LONGEST_TEXT = 1000


class Segments:
    """The segments of an invocation: Lambda's, and below it the function's, to which its SDK adds.

    Each segment is sent when it begins, and again when it ends, if the trace is sampled and the
    function's role allows it.

    Args:
        function: the invoked function.
        request_id: the invocation's id.
        trace: the invocation's trace.
        surroundings: the surroundings, with the time and the kept traces.

    Attributes:
        header: the trace header that the function gets.
    """

    def __init__(
        self, function: Configuration, request_id: str, trace: Trace, surroundings: Surroundings
    ) -> None:
        self._surroundings = surroundings
        self._is_sent = trace.is_sampled and surroundings.authority.allows(function.session, _SEND)
        (service, parent), own = trace.enter(), new_id()
        self.header = trace.header(own)
        common = {"trace_id": trace.root, "name": function.name, "in_progress": True}
        hanging = {"parent_id": parent} if parent else {}
        account = function.arn.split(":")[4]
        self._service: dict[str, Any] = {
            "id": service,
            **common,
            **hanging,
            "origin": "AWS::Lambda",
            "resource_arn": function.arn,
            "aws": {"account_id": account, "request_id": request_id},
        }
        self._function: dict[str, Any] = {
            "id": own,
            **common,
            "parent_id": service,
            "origin": "AWS::Lambda::Function",
            "aws": {"account_id": account, "function_arn": function.arn},
        }
        self._begin(self._service)

    def run(self) -> None:
        """Send the segment of the running function."""
        self._begin(self._function)

    def end(self, answer: Answer) -> None:
        """Send the segments of the ended invocation."""
        failed = {} if answer.error is None else {"fault": True}
        cause = {"cause": {"exceptions": [_exception(answer)]}} if failed else {}
        for segment, more in ((self._function, cause), (self._service, {})):
            ended = {name: value for name, value in segment.items() if name != "in_progress"}
            self._send({**ended, "end_time": self._now(), **failed, **more})

    def _begin(self, segment: dict[str, Any]) -> None:
        segment["start_time"] = self._now()
        self._send(segment)

    def _send(self, segment: dict[str, Any]) -> None:
        if self._is_sent:
            self._surroundings.traces.put(Segment.of(segment))

    def _now(self) -> float:
        return self._surroundings.calendar.now().timestamp()


def _exception(answer: Answer) -> dict[str, str]:
    """Return the exception of a failed invocation."""
    try:
        error = nesting.read(answer.payload)
    except ValueError:
        error = None
    told = error if isinstance(error, dict) else {}
    return {
        "id": new_id(),
        "type": str(told.get("errorType", "Unknown"))[:_LONGEST_TEXT],
        "message": str(told.get("errorMessage", ""))[:_LONGEST_TEXT],
    }
