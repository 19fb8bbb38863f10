"""One call after the other, in the order that a test decides."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from local.gateway import Call, Caller
    from local.gateway.seams import Fault

# What the SDK asks for is no call of the functions' own.
THE_SDKS = {"CheckpointDurableExecution", "GetDurableExecutionState"}
# Long enough for whoever has been answered to ask for the next thing.
_QUIET_SECONDS = 0.03


class Held:
    """A call that waits for its turn.

    Attributes:
        call: what is asked for.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.verdict: Future[Fault | None] = Future()

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Answer as the verdict says, once there is one."""
        fault = self.verdict.result(PATIENCE)
        return fault.apply(serve, caller) if fault else serve()


class Turns:
    """Holds the calls of functions and workers."""

    def __init__(self) -> None:
        self._held: list[Held] = []
        self._is_over = False
        self._changed = threading.Condition()

    def plan(self, call: Call, _asked: str) -> Fault | None:
        """Hold a call; see `local.gateway.Seams`."""
        if call.number == 0 or call.operation in THE_SDKS:
            return None
        with self._changed:
            if self._is_over:
                return None
            self._held.append(Held(call))
            self._changed.notify_all()
            return self._held[-1]

    def next(self, number: int, verdict: Fault | None) -> bool:
        """Give one of the waiting calls its turn; False if none came to wait."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._held) > number, _QUIET_SECONDS)
            if not self._held:
                return False
            waiting = sorted(self._held, key=lambda held: (held.call.caller, held.call.operation))
            turn = waiting[number % len(waiting)]
            self._held.remove(turn)
        turn.verdict.set_result(verdict)
        return True

    def end(self) -> None:
        """Hold nothing any more."""
        with self._changed:
            self._is_over = True
            for held in self._held:
                held.verdict.set_result(None)
            self._held.clear()
