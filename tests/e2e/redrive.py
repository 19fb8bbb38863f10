"""`make redrive`, for the events that a local system has kept."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from local.stack.stack import PROJECT

if TYPE_CHECKING:
    from local.system import System


def redrive(system: System) -> subprocess.CompletedProcess[str]:
    """Deliver again what is in the queues of a system's stack."""
    return subprocess.run(
        [sys.executable, "scripts/redrive.py", system.stack.name],
        cwd=PROJECT,
        env={**os.environ, **system.variables},
        capture_output=True,
        text=True,
        check=False,
    )
