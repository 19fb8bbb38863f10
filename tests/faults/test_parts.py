from __future__ import annotations

from tests.faults import parts
from tests.faults.scenario import ENDS, FLOWS, Point, Scenario


def test_parts() -> None:
    """Scenarios end in processes of their own as in one, and each process tells what it saw."""
    point = Point("orchestrator", "RunTask", 1, "after")
    scenarios = [Scenario(flow, ENDS[0], points=(point,)) for flow in FLOWS]
    result = parts.run_parts(scenarios)
    assert (result.run, result.wrong) == (3, 0)
    assert result.struck == {(flow, point) for flow in FLOWS}
    assert {grant.action for grant in result.used} >= {"ecs:RunTask", "iam:PassRole"}
    assert not parts.missed(scenarios, result)
