from __future__ import annotations

from local.system import System
from tests.e2e.user import User


def test_wait_ends_with_the_invocation() -> None:
    """Executions whose waits are over just as an invocation ends are invoked all the same."""
    with System(time_scale=10, durable_scale=8, in_process=True) as system:
        user = User(system)
        started = [user.start("Sync", processingTime=2) for _ in range(20)]
        assert [user.result(arn)["outcome"] for arn in started] == ["Succeeded"] * 20
