"""Runs of tests in a copy of the project, and what they say of a mutation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.mutations.session import UNCOLLECTED

if TYPE_CHECKING:
    from collections.abc import Iterable

CAUGHT = "caught"
PATIENCE_SECONDS = 900
# A test that fails may leave an execution behind that no moto answers any more: whatever is not on
# this machine is asked for at a port that nobody listens on.
_NOWHERE = "http://127.0.0.1:9"
_OFFLINE = {"HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
# The example that fails need not be the smallest one: to look for that takes minutes.
_HASTE = {"HYPOTHESIS_PROFILE": "unshrunk"}
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=1")
# The program's folder stays off the path (-P): its modules are named like packages of src/.
_PYTEST = (sys.executable, "-P", str(Path(__file__).with_name("session.py")))
_SAID = {
    pytest.ExitCode.OK: "MISSED: the tests passed",
    pytest.ExitCode.TESTS_FAILED: CAUGHT,
    pytest.ExitCode.NO_TESTS_COLLECTED: "MISSED: there are no tests",
    UNCOLLECTED: "MISSED: the tests cannot be collected",
}


class Run(NamedTuple):
    """The end of a run of pytest.

    Attributes:
        code: its exit code; None where it did not end in time.
        output: what it printed.
    """

    code: int | None
    output: str

    @property
    def passed(self) -> bool:
        """Whether every test did."""
        return self.code == pytest.ExitCode.OK


def run(folder: Path, tests: Iterable[str], patience: float = PATIENCE_SECONDS) -> Run:
    """Run tests in a copy of the project, until the first of them fails."""
    command = [*_PYTEST, *_OPTIONS, *tests]
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **_OFFLINE, **_HASTE},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Run(None, "")
    return Run(ended.returncode, ended.stdout)


def verdict(folder: Path, tests: Iterable[str], patience: float = PATIENCE_SECONDS) -> str:
    """Say what tests make of a mutated copy: `CAUGHT`, or why they have noticed nothing."""
    code = run(folder, tests, patience=patience).code
    if code is None:
        return f"MISSED: the tests did not end in {patience} s"
    return _SAID.get(code, f"MISSED: pytest exited with code {code}")
