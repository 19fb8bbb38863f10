from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from local import up
from local.demo import __main__ as demo
from local.errors import TemplateError
from local.port import PortError
from local.program import RefusedError, started
from local.stack.stack import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

A_PORT = "A port is a whole number from 1 to 65535, or 0 for a free one"
A_SCALE = "A time scale is a number from 1"
A_COUNT = "A whole number from 1 is expected"
FULL = Path("/dev/full")
A_FILE = "A template's file is expected"


@pytest.mark.parametrize(
    ("main", "option", "expected"),
    [
        *[(up.main, f"--port={port}", A_PORT) for port in ("80000", "-1", "abc", "1.5", "")],
        *[(up.main, f"--time-scale={scale}", A_SCALE) for scale in ("0", "0.5", "nan", "x")],
        *[(demo.main, f"--time-scale={scale}", A_SCALE) for scale in ("-1", "inf")],
        *[(demo.main, f"--load={load}", A_COUNT) for load in ("0", "-5", "x")],
        *[(main, "--template=nowhere.yaml", A_FILE) for main in (up.main, demo.main)],
        (up.main, f"--template={PROJECT}", A_FILE),
    ],
)
def test_option_that_makes_no_sense(
    main: Callable[[], int],
    option: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An option's value that makes no sense is answered by what came and what is expected."""
    monkeypatch.setattr("sys.argv", ["program", option])
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 2
    [told] = capsys.readouterr().err.splitlines()
    name, value = option.split("=")
    assert told.startswith(f"argument {name}: {expected}")
    assert value in told


def run(
    *options: str, stdout: int = subprocess.PIPE, program: str = "local.up"
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [sys.executable, "-m", program, *options],
        cwd=PROJECT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TemplateError("It is blue."), "^blue.yaml cannot be run here: It is blue.$"),
        (PortError("Port 80 is taken."), "^The local system cannot start: Port 80 is taken.$"),
    ],
)
def test_system_that_refuses(error: Exception, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that refuses to start ends the program with the reason alone."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("local.system.System", refuse)
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    ):
        monkeypatch.setenv(name, "restored afterwards")
    with pytest.raises(RefusedError, match=told), started(Path("blue.yaml"), 1):
        pass


@pytest.mark.parametrize("task", ["--port=0", "--env"])
def test_folder_that_cannot_be_used(tmp_path: Path, task: str) -> None:
    """A folder in which no note can be kept is named with the reason."""
    (tmp_path / "up.json").mkdir()
    (tmp_path / "lock").mkdir()
    refused = run("--folder", str(tmp_path), task)
    assert refused.returncode == 1
    assert str(tmp_path) in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_nobody_listens(tmp_path: Path) -> None:
    """A program whose output nobody takes any more says nothing of it."""
    reader, writer = os.pipe()
    os.close(reader)
    told = run("--folder", str(tmp_path), "--down", stdout=writer)
    os.close(writer)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    ("program", "code", "told"),
    [
        ("local.demo", 1, "Nothing more can be written: No space left on device.\n"),
        ("local.up", 0, ""),
    ],
)
def test_full_disk(tmp_path: Path, program: str, code: int, told: str) -> None:
    """A program whose output has no room anywhere ends without a traceback."""
    options = ["--folder", str(tmp_path), "--down"] if program == "local.up" else []
    with FULL.open("w") as full:
        ran = run(*options, stdout=full.fileno(), program=program)
    assert (ran.returncode, ran.stderr) == (code, told)
