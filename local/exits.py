"""Exit codes, as shells and container runtimes show them."""

from __future__ import annotations

import signal

_SIGNALLED = 128


def exit_code(number: int) -> int:
    """Return the exit code of a program that a signal ended."""
    return _SIGNALLED + number


KILLED, TERMINATED = exit_code(signal.SIGKILL), exit_code(signal.SIGTERM)
