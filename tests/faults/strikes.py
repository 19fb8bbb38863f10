"""Faults of a call, beside those that the local system's seams know."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.gateway import Refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from local.gateway import Caller
    from local.gateway.seams import Fault


@dataclass(frozen=True, slots=True)
class Beside:
    """Something else happens beside a call, which is served, or not, as without it.

    Attributes:
        fault: what goes wrong with the call itself.
        before: happens before it.
        around: is entered while the call is served.
    """

    fault: Fault | None = None
    before: Callable[[], object] = lambda: None
    around: Callable[[], AbstractContextManager[object]] = nullcontext

    def apply(self, serve: Callable[[], Response], caller: Caller) -> Response:
        """Answer as without."""

        def served() -> Response:
            with self.around():
                return serve()

        self.before()
        return self.fault.apply(served, caller) if self.fault else served()


def throttle(service: str) -> Refuse:
    """Return a throttle as the service tells of it."""
    if service == "lambda":
        return Refuse("TooManyRequestsException", status=HTTPStatus.TOO_MANY_REQUESTS)
    return Refuse()
