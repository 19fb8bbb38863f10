"""X-Ray: the invocation's trace, and segments of other traces."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from adapters.clients import client

if TYPE_CHECKING:
    from collections.abc import Mapping

# A trace is never worth a wait.
BRIEFLY = Config(
    connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2}
)


def header() -> str | None:
    """Return the trace header of the present invocation, as Lambda tells it."""
    return os.environ.get("_X_AMZN_TRACE_ID")


def send(segment: Mapping[str, object]) -> str | None:
    """Send a segment to X-Ray.

    Returns:
        Why X-Ray has not taken it; None where it has. It never raises an error.
    """
    try:
        answer = client("xray", BRIEFLY).put_trace_segments(
            TraceSegmentDocuments=[json.dumps(segment)]
        )
    except (BotoCoreError, ClientError) as error:
        return f"{type(error).__name__}: {error}"
    refused = answer.get("UnprocessedTraceSegments")
    return f"{refused[0].get('ErrorCode')}: {refused[0].get('Message')}" if refused else None
