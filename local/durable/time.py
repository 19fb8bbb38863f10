"""Time for durable executions, which may pass faster than here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from aws_durable_execution_sdk_python_testing.scheduler import Event


class ScaledClock:
    """The runner's clock: right when it is made, and fast from then on."""

    def __init__(self, scale: float) -> None:
        self._scale, self._origin = scale, datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time in the executions' world."""
        return self._origin + (datetime.now(UTC) - self._origin) * self._scale

    def arm(self, wake: datetime) -> float:
        """Return the seconds until a moment, in the executions' world."""
        return max((wake - self.now()) / timedelta(seconds=1), 0.0)


class ScaledScheduler(Scheduler):
    """Takes delays in the seconds of the executions' world: waits, timeouts, retries."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def call_later(
        self,
        func: Callable[[], Any],
        delay: float = 0,
        count: int | None = 1,
        completion_event: Event | None = None,
    ) -> Future[Any]:
        """Call a function after a delay."""
        return super().call_later(func, delay / self._scale, count, completion_event)
