from __future__ import annotations

from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python.lambda_service import LambdaClient

from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    import pytest


def test_wait_ends_with_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executions whose waits are over just as an invocation ends are invoked all the same."""
    # The SDK keeps one client for all of a process's life, and with it the address of a system.
    monkeypatch.setattr(LambdaClient, "_cached_boto_client", None)
    with System(time_scale=10, durable_scale=8, in_process=True) as system:
        user = User(system)
        started = [user.start("polling", processingTime=2) for _ in range(20)]
        assert [user.result(arn)["outcome"] for arn in started] == ["Succeeded"] * 20
