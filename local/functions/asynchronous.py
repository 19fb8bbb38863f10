"""Lambda's queue of asynchronous invocations: accepted at once, retried, given up.

An event for a durable function begins an execution, which goes on by itself.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.utils import iso_8601_datetime_with_milliseconds

from local.functions.function import FunctionClosedError
from local.iam.authority import DeniedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.account import Send
    from local.clock import Clock
    from local.functions.function import Function
    from local.functions.sandbox import Answer
    from local.xray import Trace

# Lambda waits one minute before the first retry and two before the second.
_RETRY_DELAYS = (60, 120)


@dataclass(frozen=True, slots=True)
class _Event:
    """An event that was accepted for a function."""

    function: Function
    payload: bytes
    qualifier: str
    trace: Trace

    def invoke(self) -> tuple[str, Answer]:
        return self.function.invoke(self.payload, self.qualifier, self.trace)

    def failure(self, request_id: str, answer: Answer, tries: int) -> dict[str, Any]:
        """Return Lambda's record for a failure destination."""
        configuration = self.function.configuration
        return {
            "version": "1.0",
            "timestamp": iso_8601_datetime_with_milliseconds(),
            "requestContext": {
                "requestId": request_id,
                "functionArn": f"{configuration.arn}:{self.qualifier}",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": tries,
            },
            "requestPayload": json.loads(self.payload),
            "responseContext": {
                "statusCode": 200,
                "executedVersion": configuration.version(self.qualifier),
                "functionError": answer.error,
            },
            "responsePayload": json.loads(answer.payload),
        }


class AsynchronousInvocations:
    """Takes events for functions, each on a thread of its own.

    Args:
        begin: starts an execution of a durable function's version, with a payload, in a trace.

    Attributes:
        pending: number of events that are accepted, and neither processed nor given up.
    """

    def __init__(
        self,
        clock: Clock,
        send: Send,
        begin: Callable[[Function, str, bytes, Trace], str],
    ) -> None:
        self._clock, self._send, self._begin_execution = clock, send, begin
        self._lock = threading.Lock()
        self.pending = 0

    def accept(
        self, function: Function, event: bytes, qualifier: str, header: str | None = None
    ) -> None:
        """Accept an event: it is processed at least once, or reaches the function's destination.

        Args:
            function: a plain function, or a durable one with a qualifier.
            event: the event, as JSON.
            qualifier: a qualifier that the function's configuration knows.
            header: the caller's trace header, if it has one.
        """
        accepted = _Event(function, event, qualifier, function.trace(header))
        with self._lock:
            self.pending += 1
        threading.Thread(target=self._process, args=[accepted], daemon=True).start()

    def _process(self, event: _Event) -> None:
        try:
            with suppress(FunctionClosedError):
                self._begin(event)
        finally:
            with self._lock:
                self.pending -= 1

    def _begin(self, event: _Event) -> None:
        configuration = event.function.configuration
        if configuration.execution_timeout is None:
            self._try(event)
        else:
            version = configuration.version(event.qualifier) or event.qualifier
            self._begin_execution(event.function, version, event.payload, event.trace)

    def _try(self, event: _Event) -> None:
        configured = event.function.configuration.asynchronous
        retries = int(configured.get("MaximumRetryAttempts", len(_RETRY_DELAYS)))
        request_id, answer = event.invoke()
        for delay in _RETRY_DELAYS[:retries]:
            if answer.error is None or not self._clock.sleep(delay):
                return
            request_id, answer = event.invoke()
        if answer.error is not None:
            record = event.failure(request_id, answer, retries + 1)
            destination = configured.get("DestinationConfig", {}).get("OnFailure", {})
            if "Destination" in destination:
                # A record is lost if the function's role may not send it.
                with suppress(DeniedError):
                    sender = event.function.configuration.session
                    self._send(sender, destination["Destination"], json.dumps(record))
