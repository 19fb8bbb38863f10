from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.errors import UnsupportedError
from local.events.schedule import seconds
from local.journal import Delivery
from local.system import System
from tests import template
from tests.e2e.user import User
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def started(own: dict[str, Any], folder: Path) -> System:
    """The local system with a template of one's own."""
    written = folder / "template.yaml"
    written.write_text(json.dumps(own))
    return System(written, time_scale=1000, in_process=True)


def schedule(rate: str, **more: str) -> dict[str, Any]:
    """A function's event that comes by the clock."""
    return {"Type": "Schedule", "Properties": {"Schedule": rate, **more}}


def test_rate(tmp_path: Path) -> None:
    """A function with a schedule is invoked again and again, in AWS's time, with its input."""
    own = template.source()
    own["Resources"]["TaskStateFunction"]["Properties"]["Events"] |= {
        "Often": schedule("rate(2 minutes)", Input='{"detail": {"lastStatus": "none"}}'),
        "AtTimes": schedule("rate(1 hour)"),
    }
    with started(own, tmp_path) as system:
        deliveries = until(
            lambda: len(system.journal.entries(Delivery)) >= 3, system.journal.wait_for
        )
        assert deliveries
        events = [delivery.event for delivery in system.journal.entries(Delivery)]
        assert {event["detail-type"] for event in events} == {"Scheduled Event"}
        assert {event["source"] for event in events} == {"aws.events"}
        assert events[0]["resources"][0].endswith("Often")
        rules = system.account.client("events").list_rules()["Rules"]
        assert "rate(2 minutes)" in {rule.get("ScheduleExpression") for rule in rules}


def test_rate_of_a_durable_function(tmp_path: Path) -> None:
    """A schedule of a durable function that somebody has added begins an execution each time."""
    own = template.with_own_function("orchestrator.eventbridge.handler")
    added = own["Resources"]["AddedLambdaFunction"]["Properties"]
    added["Events"] = {"Often": schedule("rate(10 minutes)", Input='{"processingTime": 0}')}
    with started(own, tmp_path) as system:
        user, name = User(system), f"{system.stack.name}-added-function"

        def succeeded() -> bool:
            begun = user.durable.list_durable_executions_by_function(FunctionName=name)
            statuses = [execution["Status"] for execution in begun["DurableExecutions"]]
            return statuses.count("SUCCEEDED") >= 2

        user.wait(succeeded)


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
