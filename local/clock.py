"""The time that passes in AWS, which may pass faster here."""

from __future__ import annotations

import threading
import time


class Clock:
    """Waits for AWS's seconds, and stops waiting when the system stops.

    Attributes:
        scale: AWS's seconds in one of ours, at least 1.
    """

    def __init__(self, scale: float) -> None:
        if scale < 1:
            raise ValueError(f"The time scale should be at least 1, not {scale}.")
        self.scale = scale
        self._begun = time.monotonic()
        self._stopped = threading.Event()

    @property
    def passed(self) -> float:
        """AWS's seconds since the clock was made."""
        return (time.monotonic() - self._begun) * self.scale

    def real(self, seconds: float) -> float:
        """Return how long AWS's seconds take here."""
        return seconds / self.scale

    def sleep(self, seconds: float) -> bool:
        """Wait for AWS's seconds; False if the system was stopped meanwhile."""
        return not self._stopped.wait(self.real(seconds))

    def stop(self) -> None:
        """End all waits."""
        self._stopped.set()
