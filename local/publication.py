"""The way of an event from its source to the bus: at least once, in any order, if a test wants."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.clock import Clock
    from local.events import Bus
    from local.gateway import Seams


class Publication:
    """Puts events on the bus, as often and as late as the seams say."""

    def __init__(self, bus: Bus, seams: Seams, clock: Clock) -> None:
        self._bus, self._seams, self._clock = bus, seams, clock

    def publish(self, event: dict[str, Any]) -> None:
        """Take one event."""
        for delay in self._seams.deliveries(event):
            if delay:
                threading.Thread(target=self._later, args=[delay, event], daemon=True).start()
            else:
                self._bus.put(event)

    def _later(self, delay: float, event: dict[str, Any]) -> None:
        if self._clock.sleep(delay):
            self._bus.put(event)
