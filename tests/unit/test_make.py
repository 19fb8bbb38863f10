from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.e2e.tools import tool
from tests.markdown import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def planned(*arguments: str) -> str:
    """What make would run."""
    make = ["make", "-n", *arguments]
    return subprocess.check_output(make, cwd=ROOT, text=True)


def test_pins_stay() -> None:
    """`make lock` keeps the pins that nothing asks to renew; UPGRADE renews them."""
    assert "pip compile" in planned("lock")
    assert "--upgrade" not in planned("lock")
    assert "--upgrade" in planned("lock", "UPGRADE=1")


def test_home_that_cannot_be_used(tmp_path: Path) -> None:
    """Environments are made with a HOME in which nothing can be kept."""
    tool("uv", "uv")
    (tmp_path / "Makefile").write_text("made: ; @$(UV) venv --quiet --python $(PYTHON) $(FOLDER)\n")
    made = tmp_path / "environment"
    make = ["make", "-f", "Makefile", "-f", str(tmp_path / "Makefile"), "made"]
    make += [f"PYTHON={sys.executable}", f"FOLDER={made}"]
    caches = {"UV_CACHE_DIR", "XDG_CACHE_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in caches}
    subprocess.check_call(make, cwd=ROOT, env=kept | {"HOME": os.devnull})
    assert (made / "bin" / "python").exists()
