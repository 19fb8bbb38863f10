"""The facts of this machine: the tools on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from scripts import find_python
from scripts.preflight.facts import Machine

_SECONDS = 30


def look(runtime: str) -> Machine:
    """Return the tools; the runtime is the functions', for example "python3.13"."""
    version = runtime.removeprefix("python")
    python = _on_path(runtime, version)
    # A search of the machine takes seconds.
    elsewhere = None if python else find_python.find(version)
    return Machine(python, str(elsewhere or ""), _version("sam"), _version("aws"))


def _on_path(runtime: str, version: str) -> str:
    """Return the Python that `sam build` would take: it looks in each folder for these names."""
    candidates = (
        str(path)
        for name in (runtime, "python", "python3")
        for folder in os.get_exec_path()
        if (path := Path(folder, name)).exists()
    )
    return next((path for path in candidates if find_python.probe(Path(path), version)), "")


def _version(program: str) -> str:
    """Return the version that a program prints; empty if it prints none."""
    found = shutil.which(program)
    if not found:
        return ""
    # A look sends no telemetry.
    quiet = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    try:
        told = subprocess.run(
            [found, "--version"],
            capture_output=True,
            text=True,
            env=quiet,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    # AWS CLI 1 prints "aws-cli/1.45.0 Python/3.11.4 …", SAM prints "SAM CLI, version 1.170.0".
    return next(iter(re.findall(r"\d+\.\d+\.\d+", told.stdout)), "")
