"""PutEvents; moto answers EventBridge's other operations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.errors import ApiError
from local.events.envelope import envelope
from local.nesting import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

    from local.stack import Stack

_MOST_ENTRIES = 10
_REQUIRED = ("Source", "DetailType", "Detail")


class EventsApi:
    """Takes events of all callers, for the default bus."""

    def __init__(self, stack: Stack, publish: Callable[[dict[str, Any]], None]) -> None:
        self._stack, self._publish = stack, publish

    def __call__(self, request: Request, operation: str) -> dict[str, Any] | None:
        """Answer an operation; None leaves it to moto."""
        if operation != "PutEvents":
            return None
        entries = json.loads(request.get_data())["Entries"]
        if len(entries) > _MOST_ENTRIES:
            many = "Value at 'entries' failed to satisfy constraint: Member must have length less"
            text = f"1 validation error detected: {many} than or equal to {_MOST_ENTRIES}"
            raise ApiError("ValidationException", text)
        results = [self._put(entry) for entry in entries]
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _put(self, entry: Mapping[str, Any]) -> dict[str, str]:
        """Publish an entry, or return the error of a wrong one."""
        if missing := [name for name in _REQUIRED if not entry.get(name)]:
            text = (
                f"Parameter {missing[0]} is not valid. Reason: {missing[0]} is a required argument."
            )
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
        if entry["Source"].startswith("aws."):
            text = "Not authorized for the source."
            return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": text}
        detail = _object(entry["Detail"])
        if detail is None:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        about = entry.get("Resources", ())
        event = envelope(self._stack, entry["Source"], entry["DetailType"], detail, about)
        if "Time" in entry:
            moment = datetime.fromtimestamp(entry["Time"], UTC)
            event["time"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._publish(event)
        return {"EventId": event["id"]}


def _object(text: str) -> dict[str, Any] | None:
    try:
        detail = read(text)
    except ValueError:
        return None
    return detail if isinstance(detail, dict) else None
