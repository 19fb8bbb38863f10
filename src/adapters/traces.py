"""X-Ray: the invocation's trace, and segments of other traces."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from botocore.config import Config

from adapters.clients import client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.client import BaseClient

# A trace is not worth a long wait.
BRIEFLY = Config(
    connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2}
)
# botocore's limits cover neither a DNS look-up nor an answer that arrives byte by byte.
_LONGEST_SECONDS = 5.0


def header() -> str | None:
    """Return the trace header of the present invocation, as Lambda sets it."""
    return os.environ.get("_X_AMZN_TRACE_ID")


def send(segment: Mapping[str, object]) -> str | None:
    """Send a segment to X-Ray, and wait some seconds at most.

    Returns:
        The reason why X-Ray has not taken it; None where X-Ray has. It never raises an error.
    """
    refusal: Future[str | None] = Future()
    try:
        xray = client("xray", BRIEFLY)
        threading.Thread(target=_settle, args=[refusal, xray, segment], daemon=True).start()
        return refusal.result(_LONGEST_SECONDS)
    except TimeoutError:
        return f"no answer within {_LONGEST_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - a trace is never a reason to fail
        return f"{type(error).__name__}: {error}"


def _settle(refusal: Future[str | None], xray: BaseClient, segment: Mapping[str, object]) -> None:
    try:
        answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
        refused = answer.get("UnprocessedTraceSegments")
        refusal.set_result(
            f"{refused[0].get('ErrorCode')}: {refused[0].get('Message')}" if refused else None
        )
    except BaseException as error:  # noqa: BLE001 - the sender gets it, whatever it is
        refusal.set_exception(error)
