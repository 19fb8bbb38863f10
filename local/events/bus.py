"""EventBridge's default bus: it matches events with the rules that moto keeps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from moto.events.models import events_backends

if TYPE_CHECKING:
    from moto.events.models import Rule
    from moto.events.utils import EventMessageType

    from local.clock import Clock
    from local.events.delivery import Deliveries
    from local.gateway import Seams
    from local.stack import Stack


class Bus:
    """Gives each event to the targets of the rules that match it."""

    def __init__(self, stack: Stack, deliveries: Deliveries, seams: Seams, clock: Clock) -> None:
        self._deliveries, self._seams, self._clock = deliveries, seams, clock
        kept = events_backends[stack.account][stack.region].event_buses["default"]
        self._rules: dict[str, Rule] = kept.rules

    @property
    def rules(self) -> list[Rule]:
        """The present rules that are not disabled."""
        return [rule for rule in list(self._rules.values()) if rule.state != "DISABLED"]

    def publish(self, event: dict[str, Any]) -> None:
        """Take an event, as often and as late as the seams say."""
        for delay in self._seams.delays(event):
            if delay:
                threading.Thread(target=self._put_later, args=[delay, event], daemon=True).start()
            else:
                self.put(event)

    def put(self, event: dict[str, Any]) -> None:
        """Take an event now, whatever the seams say."""
        for rule in self.rules:
            # A schedule has no pattern, and matches nothing.
            pattern = rule.event_pattern
            if pattern.get_pattern() and pattern.matches_event(cast("EventMessageType", event)):
                self.send_to_targets(rule, event)

    def send_to_targets(self, rule: Rule, event: dict[str, Any]) -> None:
        """Deliver an event to all targets of a rule."""
        for target in list(rule.targets):
            self._deliveries.begin(rule.arn, target, event)

    def _put_later(self, delay: float, event: dict[str, Any]) -> None:
        if self._clock.sleep(delay):
            self.put(event)
