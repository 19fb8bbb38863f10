"""Client tokens: a repeated request gets the answer of the first one."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, TypeVar

from local.ecs.state import TaskState
from local.errors import ApiError

if TYPE_CHECKING:
    from local.ecs.state import Time

T = TypeVar("T", bound=TaskState)

# A token is kept for a day, or until an hour after its task's end if that is sooner.
_LONGEST = 86400
_AFTER_END = 3600


@dataclass(frozen=True, slots=True)
class Launched(Generic[T]):
    """The result of a RunTask.

    Attributes:
        tasks: the tasks that it started.
        failures: the reasons why it started no others.
    """

    tasks: list[T] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)


class Tokens(Generic[T]):
    """Remembers the results of requests."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._kept: dict[tuple[str, str], tuple[float, str, Launched[T]]] = {}

    def earlier(self, key: tuple[str, str], asked: str) -> Launched[T] | None:
        """Return the earlier result of the same request; None if there was none recently.

        Args:
            key: cluster and client token.
            asked: the whole request.

        Raises:
            ApiError: another request used the token.
        """
        if key not in self._kept or self._is_over(key):
            return None
        _, first, launched = self._kept[key]
        if first != asked:
            unlike = "Parameters do not match the ones of the request with this client token."
            arns = [task.arn for task in launched.tasks]
            raise ApiError("ConflictException", unlike, resourceIds=arns)
        return launched

    def keep(self, key: tuple[str, str], asked: str, launched: Launched[T]) -> None:
        """Remember the result of a request."""
        for old in list(takewhile(self._is_over, self._kept)):
            del self._kept[old]
        self._kept[key] = (self._time.passed, asked, launched)

    def _is_over(self, key: tuple[str, str]) -> bool:
        at, _, launched = self._kept[key]
        ended = [task.ended_for for task in launched.tasks]
        forgotten = bool(ended) and all(ago is not None and ago > _AFTER_END for ago in ended)
        return forgotten or self._time.passed - at > _LONGEST
