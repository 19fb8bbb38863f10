"""Find a Python of one version on this machine, wherever it was installed.

`python3 scripts/find_python.py 3.13` prints the path of an interpreter with pip and with the name
`python3.13`: `sam build` needs both. If there is none, it prints nothing and exits with 1.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The interpreter prints its version and path. A version manager's shim has the right name, but runs
# only while its version is active; here it prints the path of the interpreter behind it.
_PROBE = "import pip, sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
_PROBE_SECONDS = 20

# The folders of version managers' interpreters, below a home directory.
_MANAGED = (
    ".pyenv/versions/{version}*/bin",
    ".local/share/uv/python/cpython-{version}*/bin",
    ".local/share/mise/installs/python/{version}*/bin",
    ".asdf/installs/python/{version}*/bin",
)
_SYSTEM = (
    "usr/local/bin",
    "usr/bin",
    "opt/homebrew/bin",
    "opt/local/bin",
    "opt/*{version}*/bin",
    "usr/local/opt/python@{version}/bin",
    "Library/Frameworks/Python.framework/Versions/{version}/bin",
)


def find(version: str) -> Path | None:
    """Return the path of a Python of that version ("3.13"); the running one comes first."""
    name = f"python{version}"
    for directory in dict.fromkeys(_directories(version)):
        if (found := probe(directory / name, version)) and found.with_name(name).exists():
            return found.with_name(name)
    return None


def _directories(version: str) -> Iterator[Path]:
    """Yield the folders that may hold the interpreter, the likeliest first."""
    yield Path(sys.executable).parent
    # The base of an environment, which itself may have no pip.
    yield Path(sys.base_prefix, "bin")
    for entry in map(Path, os.get_exec_path()):
        yield entry
        # A shim's folder is beside the folders of all versions, active or not.
        yield from _below(entry.parent, "versions/{version}*/bin", version)
    yield from _below(Path(sys.base_prefix).parent, "{version}*/bin", version)
    for home in _homes():
        for pattern in _MANAGED:
            yield from _below(home, pattern, version)
    for pattern in _SYSTEM:
        yield from _below(Path("/"), pattern, version)


def _homes() -> Iterator[Path]:
    # In a container, the user's id may have no entry. HOME may be that of a clean environment.
    with suppress(RuntimeError):
        yield Path.home()
    with suppress(KeyError):
        yield Path(pwd.getpwuid(os.getuid()).pw_dir)


def _below(root: Path, pattern: str, version: str) -> list[Path]:
    return sorted(root.glob(pattern.format(version=version)), reverse=True)


def probe(candidate: Path, version: str) -> Path | None:
    """Return the path of the interpreter that a candidate runs; None if its version differs."""
    try:
        answer = subprocess.run(
            [candidate, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    reported, _, executable = answer.stdout.strip().partition(" ")
    return Path(executable) if reported == version else None


def main() -> int:
    """Print the interpreter of the first argument's version; return 1 if there is none."""
    if found := find(sys.argv[1]):
        sys.stdout.write(f"{found}\n")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
