"""Rules that fire by the clock."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from local.errors import UnsupportedError
from local.events.envelope import envelope

if TYPE_CHECKING:
    from moto.events.models import Rule

    from local.clock import Clock
    from local.events.bus import Bus
    from local.stack import Stack

_RATE = re.compile(r"rate\((?P<count>\d+) (?P<unit>minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def start_schedules(stack: Stack, bus: Bus, clock: Clock) -> None:
    """Let the rules with a schedule fire until the clock is stopped.

    Raises:
        UnsupportedError: a schedule that is not a rate.
    """
    for rule in bus.rules:
        if rule.scheduled_expression:
            period = seconds(rule.scheduled_expression)
            threading.Thread(
                target=_repeat, args=[rule, period, stack, bus, clock], daemon=True
            ).start()


def seconds(expression: str) -> int:
    """Return the seconds, in AWS's time, between two events of a schedule.

    Raises:
        UnsupportedError: the expression is not a rate.
    """
    rate = _RATE.fullmatch(expression)
    if rate is None:
        raise UnsupportedError(f"{expression} never comes here. Use a rate: rate(5 minutes).")
    return int(rate["count"]) * _SECONDS[rate["unit"]]


def _repeat(rule: Rule, period: int, stack: Stack, bus: Bus, clock: Clock) -> None:
    while clock.sleep(period):
        if rule in bus.rules:
            event = envelope(stack, "aws.events", "Scheduled Event", {}, [rule.arn])
            bus.send_to_targets(rule, event)
