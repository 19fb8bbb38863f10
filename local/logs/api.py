"""FilterLogEvents and StartQuery as AWS understands them; moto answers other operations."""

from __future__ import annotations

import io
import json
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.logs.models import LogQuery, logs_backends

from local.errors import ApiError
from local.logs import insights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.logs.models import LogsBackend
    from werkzeug.wrappers import Request

    from local.stack import Stack


class LogsApi:
    """Answers or rewrites requests that moto would answer in another way than AWS."""

    def __init__(self, stack: Stack) -> None:
        self._place = (stack.account, stack.region)

    @property
    def _kept(self) -> LogsBackend:
        account, region = self._place
        return logs_backends[account][region]

    def __call__(self, request: Request, operation: str) -> dict[str, Any] | None:
        """Answer a request, or leave it to moto in a form that it knows."""
        if operation == "StartQuery":
            return self._start_query(json.loads(request.get_data()))
        if operation == "FilterLogEvents":
            body = json.dumps(self._known(json.loads(request.get_data()))).encode()
            request.environ["wsgi.input"] = io.BytesIO(body)
            request.environ["CONTENT_LENGTH"] = str(len(body))
        return None

    def _known(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the same request without parameters that moto ignores."""
        known = {
            # AWS always puts the events of all streams in one order.
            "interleaved": True,
            "logGroupName": _name(asked.get("logGroupIdentifier", "")),
            **{name: value for name, value in asked.items() if name != "interleaved"},
        }
        if prefix := asked.get("logStreamNamePrefix"):
            group = self._kept.groups.get(known["logGroupName"])
            streams = [name for name in (group.streams if group else ()) if name.startswith(prefix)]
            # An empty list would mean all streams. No stream has exactly the prefix as its name.
            known["logStreamNames"] = streams or [prefix]
        return known

    def _start_query(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer a query at once, and let moto keep the answer.

        Raises:
            ApiError: a log group does not exist, or the query is not understood here.
        """
        query = insights.parse(asked["queryString"])
        named = asked.get("logGroupNames") or asked.get("logGroupIdentifiers")
        groups = [_name(group) for group in named or [asked["logGroupName"]]]
        start, end = asked["startTime"], asked["endTime"]
        lines = [line for line in self._lines(groups) if start <= line.moment // 1000 <= end]
        kept = LogQuery(str(uuid.uuid4()), start, end, asked["queryString"], [])
        kept.log_group_names = groups
        kept.results = query.rows(lines, asked.get("limit"))
        self._kept.queries[kept.query_id] = kept
        return {"queryId": kept.query_id}

    def _lines(self, groups: list[str]) -> Iterator[insights.Line]:
        account, _ = self._place
        for name in groups:
            if (group := self._kept.groups.get(name)) is None:
                missing = f"Log group '{name}' does not exist for account ID '{account}'"
                raise ApiError("ResourceNotFoundException", missing, HTTPStatus.BAD_REQUEST)
            for stream in list(group.streams.values()):
                for event in list(stream.events):
                    yield insights.Line(
                        moment=event.timestamp,
                        log=f"{account}:{name}",
                        stream=stream.log_stream_name,
                        message=event.message,
                        pointer=str(event.event_id),
                    )


def _name(identifier: str) -> str:
    """Return a group's name, which may be given as its ARN."""
    return identifier.rpartition(":log-group:")[2].removesuffix(":*")
