"""Faults for tests: at any API call and any event, for as long as a test asks for them."""

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
    """The call is refused; by default it is throttled."""

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
        after: whether the call has been served by then.
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
        after: whether the call has been served by then.
    """

    after: bool = False

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Kill the caller, which gets no answer."""
        if self.after:
            serve()
        caller.kill()
        raise ConnectionResetError


@dataclass(frozen=True, slots=True)
class Wait:
    """The answer comes late, although the call is served at once.

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
        plan: returns the fault of a call, beside the injected ones; it gets path and body of the
            request as text.
        delays: returns the delays of an event in AWS's seconds, one for each delivery: `[0]` as a
            rule, `[]` for a lost event, `[0, 0]` for a doubled one.
        alone: a lock that is held while moto answers. moto checks a condition and writes in steps,
            so a reader of its state beside it would see half of a write.
    """

    plan: Callable[[Call, str], Fault | None] = field(default=lambda *_: None)
    delays: Callable[[dict[str, Any]], Sequence[float]] = field(default=lambda _: (0,))
    alone: threading.Lock = field(default_factory=threading.Lock)
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, fault: Fault, times: int = 1, **wanted: object) -> None:
        """Let the next calls of this kind go wrong.

        Args:
            fault: the fault.
            times: number of calls.
            wanted: attributes of `Call` with the values that the calls have.
        """
        with self._lock:
            self._rules.append(_Rule(fault, wanted, times))

    def fault(self, call: Call, asked: str) -> Fault | None:
        """Return the fault of a call, given its request's text, and count it."""
        with self._lock:
            due = next((rule for rule in self._rules if rule.left and rule.matches(call)), None)
            if due:
                due.left -= 1
                return due.fault
        return self.plan(call, asked)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._rules.clear()
        self.plan, self.delays = lambda *_: None, lambda _: (0,)
