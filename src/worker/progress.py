"""The progress of the work: written to its record now and then, without delay for the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from worker.log import logger

SECONDS_BETWEEN_WRITES = 10.0
MAX_MESSAGE = 500

# Writes a report into the record.
Write = Callable[[dict[str, Any]], None]


class Progress:
    """Writes the first report at once, then one in ten seconds at most, and always the last one.

    Threads may share it.

    Args:
        write: stores a report; its errors are logged.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._written = float("-inf")
        self._waiting: dict[str, Any] | None = None

    def say(self, percent: float, message: str = "") -> None:
        """Take a report of how far the work is; see `worker.report.progress`."""
        try:
            said = _said(percent, message)
        except (TypeError, ValueError, OverflowError) as error:
            logger.warning("Progress not understood: %s", error)
            return
        with self._lock:
            self._waiting = said
            if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES:
                self._flush()

    def finish(self) -> None:
        """Write the last report, if it waits."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        said, self._waiting = self._waiting, None
        if said is None:
            return
        self._written = time.monotonic()
        try:
            self._write(said)
        # No error of a report may reach the work.
        except Exception as error:  # noqa: BLE001 - see above
            logger.warning("Progress not recorded: %s", error)


def _said(percent: float, message: str) -> dict[str, Any]:
    # DynamoDB refuses lone surrogates.
    text = str(message).encode(errors="backslashreplace").decode()
    return {
        "percent": min(100, max(0, int(percent))),
        "message": text[:MAX_MESSAGE],
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
