"""What may happen to a call, beside what the local system's seams know."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from local.gateway import Refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from local.clock import Clock
    from local.gateway import Caller
    from local.gateway.seams import Fault


class Stop:
    """The execution is stopped at a call, which is served all the same."""

    def __init__(self, stop: Callable[[], object], fault: Fault | None) -> None:
        self._stop, self._fault = stop, fault

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Stop, then answer."""
        self._stop()
        return self._fault.apply(serve, caller) if self._fault else serve()


class Paused:
    """A call of an execution that is carried on after a pause."""

    def __init__(self, clock: Clock, until: float) -> None:
        self._clock, self._until = clock, until

    def apply(self, serve: Callable[[], Response], _: Caller) -> Response:
        """Answer once the pause is over."""
        self._clock.sleep(max(self._until - self._clock.passed, 0))
        return serve()


class Noted:
    """After a call that may have written to a record, the record is looked at."""

    def __init__(self, note: Callable[[], None], fault: Fault | None) -> None:
        self._note, self._fault = note, fault

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Answer as without, and note what has become of the record."""

        def served() -> Response:
            response = serve()
            self._note()
            return response

        return self._fault.apply(served, caller) if self._fault else served()


def throttle(service: str) -> Refuse:
    """Return a throttle as the service tells of it."""
    if service == "lambda":
        return Refuse("TooManyRequestsException", status=HTTPStatus.TOO_MANY_REQUESTS)
    return Refuse()
