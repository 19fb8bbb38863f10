from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

# In pieces, so that this file does not hold what it looks for.
UNWANTED = (
    "py" + "pi.org",
    "python" + "hosted",
    "registry.npm" + "js",
    "deb.deb" + "ian",
    "/ro" + "ot/",
    "/ho" + "me/",
    "/Us" + "ers/",
)


def _files() -> list[Path]:
    """Return the repository's own files: not what git, tools and people keep beside them."""
    found = []
    for directory, below, names in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith((".", "__")) or name == ".ci"]
        found += [Path(directory, name) for name in names if name not in {".git", ".env"}]
    return found


def _pins(requirements: str) -> dict[str, str]:
    """Return the pinned versions of a requirements file by package."""
    return dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / requirements).read_text()))


def test_names_no_registry_and_no_machine() -> None:
    """No file names a package registry's host or a path of the machine on which it was made."""
    texts = {path: path.read_text(errors="replace") for path in _files()}
    assert not [(path, word) for path, text in texts.items() for word in UNWANTED if word in text]


@pytest.mark.parametrize("deployed", ["src/requirements.txt", "src/worker/requirements.txt"])
def test_tests_run_on_the_deployed_versions(deployed: str) -> None:
    """The functions and the worker are tested with the versions that they are deployed with."""
    assert _pins(deployed).items() <= _pins("requirements/dev.txt").items()


def test_make_lists_its_targets() -> None:
    """`make` alone lists each target that a person may call."""
    listed = subprocess.check_output(["make", "-C", ROOT], text=True)  # noqa: S607 - any make will do
    offered = re.findall(r"(?m)^([a-z]+):.*## (.+)$", (ROOT / "Makefile").read_text())
    assert {"demo", "test", "lock", "clean"} <= {name for name, _ in offered}
    assert all(f"make {name} " in listed and description in listed for name, description in offered)


def test_what_runs_once_is_there() -> None:
    """Each test that runs on one Python only is one that is there: a new name takes its place."""
    printed = subprocess.run(
        ["make", "-C", ROOT, "--print-data-base", "help"],  # noqa: S607 - any make will do
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = re.findall(r"(?m)^ONCE_(?:HERE|THERE) := (.+)$", printed)
    assert len(listed) == 2
    for path, name in re.findall(r"([\w/.]+)(?:::(\w+))?", " ".join(listed)):
        assert (ROOT / path).exists(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text(), name
