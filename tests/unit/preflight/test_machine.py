from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from scripts import find_python
from scripts.preflight import machine

if TYPE_CHECKING:
    from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
# As the tools tell their versions.
TOLD = {"sam": "SAM CLI, version 1.170.0", "aws": "aws-cli/2.30.1 Python/3.13.7 Linux/6 exe/x86_64"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(path: Path, text: str) -> None:
    """Make a program."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_tools_on_path(folder: Path) -> None:
    """The versions are what the tools tell, and the Python is one that `sam build` would take."""
    for name, told in TOLD.items():
        put(folder / name, f"echo '{told}'")
    python = find_python.find(VERSION)
    assert python
    (folder / "python3").symlink_to(python)
    found = machine.look(f"python{VERSION}")
    assert (found.sam, found.aws) == ("1.170.0", "2.30.1")
    assert found.python == str(folder / "python3")


def test_tools_that_do_not_run(folder: Path) -> None:
    """A shim of a version that is not active, and tools that fail, count as none."""
    for name in ("python0.1", "sam", "aws"):
        put(folder / name, "exit 127")
    found = machine.look("python0.1")
    assert (found.python, found.elsewhere, found.sam, found.aws) == ("", "", "", "")
