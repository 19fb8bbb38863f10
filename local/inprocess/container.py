"""A worker on a thread of this process."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from typing import TYPE_CHECKING

from local.exits import KILLED, TERMINATED
from local.inprocess.identity import KilledError, current

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.gateway import Caller


class ThreadContainer:
    """Runs the worker on a thread; a signal sets the exit code, and stops its calls to AWS.

    Attributes:
        pid: None, for it has no process of its own.
    """

    pid = None

    def __init__(self, work: Callable[[], int], caller: Caller) -> None:
        self._work, self._caller = work, caller
        caller.kill = self.kill
        self._code: Future[int] = Future()
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code as a container runtime shows it; None while it runs."""
        with suppress(NotInTime):
            return self._code.result(timeout)
        return None

    def terminate(self) -> None:
        """End it as the worker ends itself on SIGTERM: without another write."""
        self._end(TERMINATED)

    def kill(self) -> None:
        """End it as SIGKILL does."""
        self._end(KILLED)

    def _end(self, code: int) -> None:
        self._caller.is_dead = True
        with suppress(InvalidStateError):
            self._code.set_result(code)

    def _run(self) -> None:
        current.set(self._caller)
        with suppress(KilledError, InvalidStateError):
            # The exit code of a process that ends with an exception.
            code = 1
            with suppress(Exception):
                code = self._work()
            self._code.set_result(code)
