from __future__ import annotations

import subprocess
import sys

from local.stack.stack import PROJECT

PATIENCE = 60
PROGRAM = """
from local.gateway import Kill
from local.system import System
from tests.e2e.user import User

with System(time_scale=100, durable_scale=100, in_process=True) as system:
    user = User(system)
    for after in (False, True):
        kill = Kill(after=after)
        system.seams.inject(kill, times=2, operation="CheckpointDurableExecution")
        print(user.result(user.start("EventBridge", processingTime=0))["outcome"])
"""


def test_threads_of_a_killed_function_end() -> None:
    """A process whose functions were killed as they sent a checkpoint ends when it is done."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["Succeeded", "Succeeded"]
