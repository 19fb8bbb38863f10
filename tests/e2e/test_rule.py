from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from werkzeug.wrappers import Request, Response


def test_rule_is_the_templates(tmp_path: Path) -> None:
    """With a rule that matches another status the EventBridge flow is never told of the end."""
    template = (PROJECT / "template.yaml").read_text()
    rule = "lastStatus: [DEPROVISIONING, STOPPED]"
    assert rule in template
    changed = tmp_path / "template.yaml"
    changed.write_text(template.replace(rule, "lastStatus: [PENDING]"))
    with System(changed, time_scale=100) as system:
        user = User(system)
        arn = user.start("EventBridge", processingTime=0)
        user.wait(lambda: user.tasks(arn) and system.is_idle)
        assert user.execution(arn)["Status"] == "RUNNING"
        assert user.record(arn)["open"] == "OPEN"


@pytest.fixture
def late_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """A system in which RunTask answers only after the task's last event was dealt with."""
    with System(time_scale=100) as system:
        user, answer = User(system), system.services["ecs"]
        monkeypatch.setitem(system.services, "ecs", _delayed(answer, user))
        yield user


def _delayed(
    answer: Callable[[Request], Response | None], user: User
) -> Callable[[Request], Response | None]:
    def answered(request: Request) -> Response | None:
        response = answer(request)
        if request.headers["X-Amz-Target"].endswith("RunTask"):
            user.wait(lambda: user.system.is_idle)
        return response

    return answered


def test_early_event(late_answer: User) -> None:
    """An event that is delivered before RunTask has answered completes the execution."""
    arn = late_answer.start("EventBridge", message="quick", processingTime=0)
    result: dict[str, Any] = late_answer.result(arn)
    assert result["result"]["message"] == "Processed: quick"
    assert late_answer.tasks(arn) == [result["taskArn"]]
