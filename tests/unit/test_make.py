from __future__ import annotations

import subprocess

from tests.markdown import ROOT


def planned(*arguments: str) -> str:
    """What make would run."""
    make = ["make", "-n", *arguments]
    return subprocess.check_output(make, cwd=ROOT, text=True)


def test_pins_stay() -> None:
    """`make lock` keeps the pins that nothing asks to renew; UPGRADE renews them."""
    assert "pip compile" in planned("lock")
    assert "--upgrade" not in planned("lock")
    assert "--upgrade" in planned("lock", "UPGRADE=1")
