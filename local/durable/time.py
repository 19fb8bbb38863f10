"""AWS's time, in the form that the runner of durable executions takes."""

from __future__ import annotations

import asyncio
import inspect
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.scheduler import Event, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from local.clock import Clock


class RunnerClock:
    """The runner's clock: it gives the moments of events and the lengths of waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the present moment in AWS."""
        return self._clock.now()

    def arm(self, wake: datetime) -> float:
        """Return AWS's seconds until a moment."""
        return max((wake - self.now()) / timedelta(seconds=1), 0.0)


class RunnerScheduler(Scheduler):
    """The runner's scheduler, with delays in AWS's seconds: waits, timeouts, retries."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def call_later(
        self,
        func: Callable[[], Any],
        delay: float = 0,
        count: int | None = 1,
        completion_event: Event | None = None,
    ) -> Future[Any]:
        """Call a function after a delay."""
        if delay <= 0:
            return super().call_later(func, 0, count, completion_event)

        async def in_time() -> object:
            await self._sleep(delay)
            return await func() if inspect.iscoroutinefunction(func) else await _aside(func)

        return super().call_later(in_time, 0, count, completion_event)

    def create_event(self) -> Event:
        """Create an event without a limit, because a busy machine may be late.

        The runner's own event would give the execution up after five of the machine's seconds.
        """
        created = asyncio.run_coroutine_threadsafe(self._create_event(), self._loop)
        return Event(self, created.result())

    async def _sleep(self, seconds: float) -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        cancel = self._clock.call_later(seconds, lambda: loop.call_soon_threadsafe(over.set))
        try:
            await over.wait()
        finally:
            cancel()
        if self._clock.is_stopped:
            # The wait has ended without its event: the system ends.
            raise asyncio.CancelledError


async def _aside(func: Callable[[], object]) -> object:
    return await asyncio.to_thread(func)
