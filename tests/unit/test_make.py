from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.tools import tool
from tests.template import ROOT
from tests.waiting import PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path

# A Python that makes an environment only once two makes have come to that, with a pip that does
# nothing.
PYTHON = f"""\
#!/bin/sh
case "$*" in
*alone.py*) echo came >>log;;
*venv.main*)
  echo made >>log
  until test "$(grep -c came log)" = 2; do sleep 0.05; done
  mkdir -p .venv/uv/bin
  echo '#!/bin/sh' >.venv/uv/bin/pip
  chmod +x .venv/uv/bin/pip
  exit;;
esac
exec {sys.executable} "$@"
"""


@pytest.mark.parametrize("target", ["preflight", "redrive"])
def test_name_of_a_stack(target: str) -> None:
    """A stack's name is one word for the shell, whatever is in it."""
    name = "it's; echo -x"
    make = ["make", "-n", target, f"STACK={name}"]
    shown = subprocess.check_output(make, cwd=ROOT, text=True)
    assert shlex.split(shown.splitlines()[-1])[-1] == name


def test_stack_of_samconfig(tree: Path) -> None:
    """The stack is by default the one that `sam deploy` takes, and no other environment's."""
    own, other = "[default.deploy.parameters]", "[prod.deploy.parameters]"
    names = f'{own}\nstack_name="mine" # today\n{other}\nstack_name = "theirs"\n'
    (tree / "samconfig.toml").write_text(names)
    make = ["make", "-n", "redrive"]
    shown = subprocess.check_output(make, cwd=tree, text=True)
    assert shlex.split(shown.splitlines()[-1])[-1] == "mine"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what makes the environments, where none is made."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("requirements", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "src").mkdir()
    return tmp_path


def making(tree: Path, python: Path | str) -> subprocess.Popen[str]:
    """Begin to make the first environment."""
    make = ["make", f"PYTHON={python}", ".venv/uv/.installed"]
    return subprocess.Popen(
        make,
        cwd=tree,
        # Nothing of a make that runs this test.
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def planned(*arguments: str) -> str:
    """The commands that make would run."""
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


def test_two_at_once(tree: Path) -> None:
    """One of two makes that need an environment at once makes it, and both go on."""
    python = tree / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    makes = [making(tree, python) for _ in range(2)]
    printed = [make.communicate(timeout=PATIENCE)[0] for make in makes]
    assert [make.returncode for make in makes] == [0, 0], printed
    assert (tree / "log").read_text().count("made") == 1


def test_interrupt(tree: Path) -> None:
    """Ctrl-C while an environment is made ends make without a traceback."""
    make = making(tree, sys.executable)
    until((tree / ".venv" / "uv").exists)
    os.killpg(make.pid, signal.SIGINT)
    printed, _ = make.communicate(timeout=PATIENCE)
    assert make.returncode
    assert "Traceback" not in printed
    assert not (tree / ".venv" / "uv" / ".installed").exists()


def test_interrupt_of_one_that_waits(tree: Path) -> None:
    """Ctrl-C while another make installs ends the one that waits without a traceback."""
    (tree / ".venv").mkdir()
    with (tree / ".venv" / "uv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make = making(tree, sys.executable)
        assert make.stdout
        assert "waits" in make.stdout.readline()
        os.killpg(make.pid, signal.SIGINT)
        printed, _ = make.communicate(timeout=PATIENCE)
    assert make.returncode
    assert "Traceback" not in printed
