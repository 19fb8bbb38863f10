"""Waiting for what has to come, on a machine of any speed: a limit ends a hang and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
# Seconds. Below the limit of a whole test, so that what was waited for is named.
PATIENCE = 900
_BETWEEN_LOOKS = 0.05


def look_again(condition: Callable[[], T], timeout: float) -> T:
    """Look at a condition of other processes until it holds; return what it gave last."""
    last = time.monotonic() + timeout
    while not (held := condition()) and time.monotonic() < last:
        time.sleep(_BETWEEN_LOOKS)
    return held


def until(
    condition: Callable[[], T], wait: Callable[[Callable[[], T], float], T] = look_again
) -> T:
    """Wait until a condition holds; return what it gave.

    Args:
        condition: is looked at again and again.
        wait: looks at it, for so many seconds; for example `Journal.wait_for`.
    """
    held = wait(condition, PATIENCE)
    assert held, f"waited {PATIENCE} s for {_place(condition)}"
    return held


def _place(condition: Callable[..., Any]) -> str:
    """Return where a condition is written, or what it is."""
    code = getattr(condition, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(condition)
