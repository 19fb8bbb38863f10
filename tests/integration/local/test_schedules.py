from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.errors import UnsupportedError
from local.events.schedule import seconds
from local.journal import Delivery
from local.stack.stack import PROJECT
from local.system import System

if TYPE_CHECKING:
    from pathlib import Path

RULE = """        TaskStateChange:
          Type: EventBridgeRule
"""
SCHEDULE = """        Often:
          Type: Schedule
          Properties:
            Schedule: rate(2 minutes)
            Input: '{"detail": {"lastStatus": "none"}}'
        AtTimes:
          Type: Schedule
          Properties:
            Schedule: rate(1 hour)
"""


def test_rate(tmp_path: Path) -> None:
    """A function with a schedule is invoked again and again, in AWS's time, with its input."""
    template = (PROJECT / "template.yaml").read_text()
    assert RULE in template
    changed = tmp_path / "template.yaml"
    changed.write_text(template.replace(RULE, SCHEDULE + RULE))
    with System(changed, time_scale=1000, in_process=True) as system:
        deliveries = system.journal.wait_for(lambda: len(system.journal.entries(Delivery)) >= 3, 60)
        assert deliveries
        events = [delivery.event for delivery in system.journal.entries(Delivery)]
        assert {event["detail-type"] for event in events} == {"Scheduled Event"}
        assert {event["source"] for event in events} == {"aws.events"}
        assert events[0]["resources"][0].endswith("Often")
        rules = system.account.client("events").list_rules()["Rules"]
        assert "rate(2 minutes)" in {rule.get("ScheduleExpression") for rule in rules}


@pytest.mark.parametrize(
    ("expression", "period"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 days)", 172800)],
)
def test_period(expression: str, period: int) -> None:
    """A rate is a number of seconds."""
    assert seconds(expression) == period


def test_other_schedules() -> None:
    """A schedule that would never fire here is refused, not forgotten."""
    with pytest.raises(UnsupportedError, match="cron"):
        seconds("cron(0 12 * * ? *)")
