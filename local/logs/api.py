"""FilterLogEvents as AWS understands it; moto answers it, and everything else."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from local.stack import Stack


class LogsApi:
    """Rewrites the requests that moto would not answer as AWS does."""

    def __init__(self, stack: Stack) -> None:
        self._place = (stack.account, stack.region)

    def __call__(self, request: Request, operation: str) -> None:
        """Leave a request to moto, in words that it knows."""
        if operation == "FilterLogEvents":
            body = json.dumps(self._known(json.loads(request.get_data()))).encode()
            request.environ["wsgi.input"] = io.BytesIO(body)
            request.environ["CONTENT_LENGTH"] = str(len(body))

    def _known(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the same request without what moto passes over."""
        known = {
            # Whatever is asked, AWS puts the events of all streams in one order.
            "interleaved": True,
            "logGroupName": asked.get("logGroupIdentifier", "").rpartition(":log-group:")[2],
            **{name: value for name, value in asked.items() if name != "interleaved"},
        }
        if prefix := asked.get("logStreamNamePrefix"):
            account, region = self._place
            group = logs_backends[account][region].groups.get(known["logGroupName"])
            streams = [name for name in (group.streams if group else ()) if name.startswith(prefix)]
            # An empty list would mean all of them; no stream has just the prefix as its name.
            known["logStreamNames"] = streams or [prefix]
        return known
