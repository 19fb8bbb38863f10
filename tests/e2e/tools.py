"""Command line tools that `make test` installs, each in an environment of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from local.stack.stack import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def tool(environment: str, program: str) -> Path:
    """Return a program; without it a test is skipped, but not in CI."""
    path = PROJECT / ".venv" / environment / "bin" / program
    if not path.exists():
        missing = f"{path.relative_to(PROJECT)} is not there: make {path.parent.parent}/.installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return path
