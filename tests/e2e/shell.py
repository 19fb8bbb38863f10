"""Blocks of documented commands, run as a reader pastes them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from local.stack.stack import PROJECT
from tests.e2e.tools import tool
from tests.e2e.up import DEAD_PROXY
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Each log tells the end of an execution in words of its own.
_UNTIL = "Final result|Returning|Work finished|Task event"
_AWS = PROJECT / "tests" / "e2e" / "aws_command.py"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of the AWS CLI that was run.

    Attributes:
        arguments: its words but for `aws`.
        printed: its standard output.
    """

    arguments: list[str]
    printed: str

    @property
    def name(self) -> str:
        """Service and operation."""
        return " ".join(self.arguments[:2])

    def option(self, name: str) -> str:
        """Return the value of an option."""
        return self.arguments[self.arguments.index(name) + 1]


def programs(folder: Path) -> Path:
    """Make a folder of the commands that a reader has, and return it.

    No thread may start a process meanwhile: it would hold the files open, which bars their run.
    """
    made = folder / "bin"
    made.mkdir()
    program, make = made / "aws", made / "make"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{_AWS}" "$@"\n')
    make.write_text(f'#!/bin/sh\nexec "{shutil.which("make")}" -C "{PROJECT}" "$@"\n')
    for path in (program, make):
        path.chmod(0o755)
    (made / "sam").symlink_to(tool("sam", "sam"))
    return made


def paste(text: str, folder: Path, variables: Mapping[str, str], found: Path) -> list[Ran]:
    """Run a block in a folder, in a shell that has exported the variables.

    Args:
        text: the block.
        folder: where the shell is.
        variables: that it has exported.
        found: the folder of the commands, as `programs` has made it.

    Returns:
        The commands of the AWS CLI in the block, in order.
    """
    transcript = folder / "transcript"
    transcript.touch()
    environment = {
        **_clis(variables["AWS_ENDPOINT_URL"]),
        "PATH": f"{found}:{os.environ['PATH']}",
        # Nobody's own configuration of the AWS CLI has a say.
        "HOME": str(folder),
        "SAM_CLI_TELEMETRY": "0",
        "TRANSCRIPT": str(transcript),
        "UNTIL": _UNTIL,
        **DEAD_PROXY,
        **variables,
    }
    with (folder / "printed").open("w") as printed:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", text],  # noqa: S607 - bash is where a reader has it
            cwd=folder,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = shell.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        code = shell.wait()
    assert code == 0, (folder / "printed").read_text()
    return [Ran(**json.loads(line)) for line in transcript.read_text().splitlines()]


@cache
def _clis(endpoint: str) -> dict[str, str]:
    """The variables that tell aws_command of the AWS CLIs of this machine."""
    found = (_version_2(folder, endpoint) for folder in os.get_exec_path())
    version_2 = next(filter(None, found), [])
    known = _asked(*version_2, "lambda", "get-durable-execution") if version_2 else ""
    return {
        "AWS_1": str(tool("aws", "aws")),
        "AWS_2": shlex.join(version_2),
        "AWS_2_KNOWS_EXECUTIONS": "yes" if "--durable-execution-arn" in known else "",
    }


def _version_2(folder: str, endpoint: str) -> list[str] | None:
    """Return the command of the AWS CLI in a folder, if it is of version 2."""
    program = shutil.which("aws", path=folder) or ""
    version = re.match(r"aws-cli/2\.(\d+)", _asked(program, "--version") if program else "")
    if version is None:
        return None
    # Before 2.13, it does not read AWS_ENDPOINT_URL.
    return [program, *(["--endpoint-url", endpoint] if int(version[1]) < 13 else [])]


def _asked(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
