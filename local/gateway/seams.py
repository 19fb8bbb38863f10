"""Faults for tests: at any API call, at any event, for as long as a test asks for them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from local.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug.wrappers import Response

    from local.gateway.callers import Caller
    from local.gateway.calls import Call


class Fault(Protocol):
    """A fault of a call."""

    def apply(self, serve: Callable[[], Response], caller: Caller, /) -> Response:
        """Answer instead of `serve`, or around it.

        Raises:
            ApiError: the service refuses.
            ConnectionResetError: the caller gets no answer.
        """


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call is refused: throttled, by default."""

    code: str = "ThrottlingException"
    message: str = "Rate exceeded"
    status: HTTPStatus = HTTPStatus.BAD_REQUEST

    def apply(self, _: Callable[[], Response], __: Caller) -> Response:
        """Answer with the error; nothing is done."""
        raise ApiError(self.code, self.message, self.status)


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection breaks.

    Attributes:
        after: whether what was asked for has been done by then.
    """

    after: bool = False

    def apply(self, serve: Callable[[], Response], _: Caller) -> Response:
        """Never answer."""
        if self.after:
            serve()
        raise ConnectionResetError


@dataclass(frozen=True, slots=True)
class Kill:
    """The calling process dies by SIGKILL.

    Attributes:
        after: whether what was asked for has been done by then.
    """

    after: bool = False

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Kill the caller, who gets no answer any more."""
        if self.after:
            serve()
        caller.kill()
        raise ConnectionResetError


@dataclass(frozen=True, slots=True)
class Wait:
    """The answer comes late: what was asked for is done at once.

    Attributes:
        until: returns when the answer may go.
    """

    until: Callable[[], object]

    def apply(self, serve: Callable[[], Response], _: Caller) -> Response:
        """Answer late."""
        response = serve()
        self.until()
        return response


@dataclass(slots=True)
class _Rule:
    fault: Fault
    wanted: dict[str, Any]
    left: int

    def matches(self, call: Call) -> bool:
        return all(getattr(call, name) == value for name, value in self.wanted.items())


@dataclass
class Seams:
    """The faults that are due.

    Attributes:
        plan: says what goes wrong with a call, beside what was injected; what is asked for is told
            as text, path and body.
        delays: says after which of AWS's seconds an event is delivered, once for each: `[0]`
            as a rule, `[]` for a lost event, `[0, 0]` for a doubled one.
        alone: is held while moto answers: it looks at a condition and writes in steps, and whoever
            reads its state beside it would see half of a write.
    """

    plan: Callable[[Call, str], Fault | None] = field(default=lambda *_: None)
    delays: Callable[[dict[str, Any]], Sequence[float]] = field(default=lambda _: (0,))
    alone: threading.Lock = field(default_factory=threading.Lock)
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, fault: Fault, times: int = 1, **wanted: object) -> None:
        """Let the next calls go wrong that look like this.

        Args:
            fault: what happens to them.
            times: to how many of them.
            wanted: attributes of `Call` with the values that they must have.
        """
        with self._lock:
            self._rules.append(_Rule(fault, wanted, times))

    def fault(self, call: Call, asked: str) -> Fault | None:
        """Return what goes wrong with a call that asks for that, and count it."""
        with self._lock:
            due = next((rule for rule in self._rules if rule.left and rule.matches(call)), None)
            if due:
                due.left -= 1
                return due.fault
        return self.plan(call, asked)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._rules.clear()
        self.plan, self.delays = lambda *_: None, lambda _: (0,)
