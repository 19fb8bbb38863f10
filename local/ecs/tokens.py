"""Client tokens: the same request again is answered as the first one was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.errors import ApiError

if TYPE_CHECKING:
    from local.clock import Clock
    from local.ecs.task import Task

# A token is kept for a day, or until an hour after its task's end if that is sooner.
_LONGEST = 86400
_AFTER_END = 3600


@dataclass(frozen=True, slots=True)
class Launched:
    """What RunTask came to.

    Attributes:
        tasks: that it started.
        failures: why it started no others.
    """

    tasks: list[Task] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)


class Tokens:
    """Remembers what requests came to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, str, Launched]] = {}

    def earlier(self, key: tuple[str, str], asked: str) -> Launched | None:
        """Return what the same request came to before; None if there was none of late.

        Args:
            key: cluster and client token.
            asked: all of the request.

        Raises:
            ApiError: another request used the token.
        """
        at, first, launched = self._kept.get(key, (0, "", Launched()))
        ended = [task.ended_for for task in launched.tasks]
        over = bool(ended) and all(ago is not None and ago > _AFTER_END for ago in ended)
        if key not in self._kept or over or self._clock.passed - at > _LONGEST:
            return None
        if first != asked:
            unlike = "Parameters do not match the ones of the request with this client token."
            arns = [task.arn for task in launched.tasks]
            raise ApiError("ConflictException", unlike, resourceIds=arns)
        return launched

    def keep(self, key: tuple[str, str], asked: str, launched: Launched) -> None:
        """Remember what a request came to."""
        self._kept[key] = (self._clock.passed, asked, launched)
