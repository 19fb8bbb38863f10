"""The caller for which a thread works; threads that it starts inherit it."""

from __future__ import annotations

import contextvars
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.gateway import Caller

current: contextvars.ContextVar[Caller | None] = contextvars.ContextVar("caller", default=None)

# The trace header of the invocation that a thread works in.
trace_header: contextvars.ContextVar[str | None] = contextvars.ContextVar("trace", default=None)


class KilledError(BaseException):
    """A killed caller made a call; no handler may catch this error and go on."""


@contextmanager
def inherited() -> Iterator[None]:
    """Let every thread that is started meanwhile work for its starter's caller.

    The SDK runs a handler on threads of its own.
    """
    start = threading.Thread.start

    def start_in_context(thread: threading.Thread) -> None:
        context, run = contextvars.copy_context(), thread.run
        # This changes the one thread alone.
        vars(thread)["run"] = lambda: context.run(run)
        start(thread)

    with mock.patch.object(threading.Thread, "start", start_in_context):
        yield
