"""The way of lines into log streams, in batches."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from moto.logs.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException
from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from local.stack import Stack

# How long the first line of a batch waits for others, in our seconds.
_BATCH_SECONDS = 0.2


class Streams:
    """Collects the lines of functions and containers, and puts them into AWS's streams."""

    def __init__(self, stack: Stack) -> None:
        self._place = (stack.account, stack.region)
        self._lock = threading.Lock()
        self._lines: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._last = 0
        self._some, self._closed = threading.Event(), threading.Event()
        threading.Thread(target=self._carry, daemon=True).start()

    def write(self, group: str, stream: str, line: str) -> None:
        """Take a line of this moment; an empty line is no log event."""
        if not line:
            return
        with self._lock:
            # The clock may be set back, but a stream's lines must stay in order.
            self._last = max(self._last, time.time_ns() // 1_000_000)
            self._lines[group, stream].append({"timestamp": self._last, "message": line})
        self._some.set()

    def close(self) -> None:
        """Put the last lines into their streams, and take no more."""
        self._closed.set()
        self._some.set()

    def _carry(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            if self._closed.wait(_BATCH_SECONDS):
                return
            with self._lock:
                lines, self._lines = self._lines, defaultdict(list)
            for (group, stream), events in lines.items():
                self._put(group, stream, events)

    def _put(self, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        account, region = self._place
        kept = logs_backends[account][region]
        # Lines for a deleted group are lost, as in AWS.
        with suppress(ResourceNotFoundException):
            with suppress(ResourceAlreadyExistsException):
                kept.create_log_stream(group, stream)
            kept.put_log_events(group, stream, events)
