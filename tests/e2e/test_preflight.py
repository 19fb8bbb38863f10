from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from local.stack.stack import PROJECT

if TYPE_CHECKING:
    from tests.e2e.up import Up
    from tests.e2e.user import AwsUser


def test_make_preflight(aws_user: AwsUser, shared: Up) -> None:
    """`make preflight` names a log group that was left over, and fails."""
    aws_user.client("logs").create_log_group(logGroupName="/ecs/left-over")
    ran = subprocess.run(
        ["make", "preflight", "STACK=left-over"],  # noqa: S607 - any make will do
        cwd=PROJECT,
        env=os.environ | shared.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode, ran.stderr
    assert "✗ Names of log groups: in use already: /ecs/left-over" in ran.stdout
    assert "aws logs delete-log-group --log-group-name /ecs/left-over" in ran.stdout
    assert "Error 1" in ran.stderr
