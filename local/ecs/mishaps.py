"""What is to go wrong with the next tasks."""

from __future__ import annotations

import threading
from collections import deque


class Mishaps:
    """Placements that ECS refuses and starts that fail, as often as a test asks for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: deque[dict[str, str]] = deque()
        self._failed_starts: deque[str] = deque()

    def refuse(self, reason: str, detail: str | None = None, times: int = 1) -> None:
        """Let RunTask answer without a task.

        Args:
            reason: of the failure, such as "Capacity is unavailable at this time.".
            detail: of the failure.
            times: how many requests are answered so; repeated ones do not count.
        """
        failure = {"reason": reason} | ({"detail": detail} if detail else {})
        with self._lock:
            self._refusals.extend([failure] * times)

    def fail_to_start(self, reason: str, times: int = 1) -> None:
        """Let tasks end before their containers run.

        Args:
            reason: `stoppedReason` of the tasks, such as "CannotPullContainerError: …".
            times: how many tasks fail so.
        """
        with self._lock:
            self._failed_starts.extend([reason] * times)

    def refusal(self) -> dict[str, str] | None:
        """Return the failure that the next request is answered with; None for none."""
        with self._lock:
            return self._refusals.popleft() if self._refusals else None

    def failed_start(self) -> str | None:
        """Return why the next task does not start; None if it does."""
        with self._lock:
            return self._failed_starts.popleft() if self._failed_starts else None

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._refusals.clear()
            self._failed_starts.clear()
