"""EventBridge's default bus: the template's rules and their targets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from moto.events.models import EventPattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.events.utils import EventMessageType

    from local.journal import Journal
    from local.stack import Stack


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    pattern: EventPattern
    targets: list[dict[str, Any]]


class Bus:
    """Gives each event to the targets of the rules that match it.

    Attributes:
        deliver: takes a target's ARN and the event's JSON.
    """

    def __init__(
        self, stack: Stack, journal: Journal, deliver: Callable[[str, bytes], None]
    ) -> None:
        self._journal = journal
        self.deliver = deliver
        self._rules = [
            _Rule(name, EventPattern.load(json.dumps(rule["EventPattern"])), rule["Targets"])
            for name, rule in stack.of_type("AWS::Events::Rule").items()
        ]

    def put(self, event: dict[str, Any]) -> None:
        """Take one event."""
        for rule in self._rules:
            if rule.pattern.matches_event(cast("EventMessageType", event)):
                for target in rule.targets:
                    self._journal.write("delivery", target["Arn"], event=event)
                    self.deliver(target["Arn"], json.dumps(event).encode())
