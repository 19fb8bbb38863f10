from __future__ import annotations

from typing import TYPE_CHECKING

from local.gateway import Wait
from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    from pathlib import Path


def test_rule_is_the_templates(tmp_path: Path) -> None:
    """The EventBridge flow never learns the end if the rule matches another status."""
    template = (PROJECT / "template.yaml").read_text()
    rule = "lastStatus: [DEPROVISIONING, STOPPED]"
    assert rule in template
    changed = tmp_path / "template.yaml"
    changed.write_text(template.replace(rule, "lastStatus: [PENDING]"))
    with System(changed, time_scale=100, in_process=True) as system:
        user = User(system)
        arn = user.start("eventbridge", processingTime=0)
        user.wait(lambda: user.tasks(arn) and system.is_idle)
        assert user.execution(arn)["Status"] == "RUNNING"
        assert user.record(arn)["open"] == "OPEN"


def test_early_event() -> None:
    """An event that is delivered before RunTask has answered completes the execution."""
    with System(time_scale=100, in_process=True) as system:
        user = User(system)
        late = Wait(lambda: user.wait(lambda: system.is_idle))
        system.seams.inject(late, times=10, operation="RunTask")
        arn = user.start("eventbridge", message="quick", processingTime=0)
        result = user.result(arn)
        assert result["result"]["message"] == "Processed: quick"
        assert user.tasks(arn) == [result["taskArn"]]
