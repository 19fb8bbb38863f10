"""The time; tests may let it pass faster."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def sleep(seconds: float) -> None:
    """Let some time pass."""
    time.sleep(seconds)
