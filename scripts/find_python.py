"""Find a Python of one version on this machine, wherever it was installed.

`python3 scripts/find_python.py 3.13` prints the path of an interpreter that has pip and that stands
under the name `python3.13`: `sam build` asks for both. It prints nothing and exits 1 if there is
none.
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

# What an interpreter says of itself. A version manager's shim stands under the right name, but runs
# only while its version is active; it also reports here the path of what it runs.
_PROBE = "import pip, sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
_PROBE_SECONDS = 20

# Where version managers keep their interpreters, below a home directory.
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
    """Return the path of a Python with that version ("3.13"), the one running this first."""
    name = f"python{version}"
    for directory in dict.fromkeys(_directories(version)):
        if (found := probe(directory / name, version)) and found.with_name(name).exists():
            return found.with_name(name)
    return None


def _directories(version: str) -> Iterator[Path]:
    """Yield the places that may hold the interpreter, likeliest first."""
    yield Path(sys.executable).parent
    # In an environment, which may have no pip: what it was made of.
    yield Path(sys.base_prefix, "bin")
    for entry in map(Path, os.get_exec_path()):
        yield entry
        # A shim's directory lies beside those of the versions, active or not.
        yield from _below(entry.parent, "versions/{version}*/bin", version)
    yield from _below(Path(sys.base_prefix).parent, "{version}*/bin", version)
    for home in _homes():
        for pattern in _MANAGED:
            yield from _below(home, pattern, version)
    for pattern in _SYSTEM:
        yield from _below(Path("/"), pattern, version)


def _homes() -> Iterator[Path]:
    # In a container nobody may have the user's id. Where HOME is set, it may be a clean
    # environment's.
    with suppress(RuntimeError):
        yield Path.home()
    with suppress(KeyError):
        yield Path(pwd.getpwuid(os.getuid()).pw_dir)


def _below(root: Path, pattern: str, version: str) -> list[Path]:
    return sorted(root.glob(pattern.format(version=version)), reverse=True)


def probe(candidate: Path, version: str) -> Path | None:
    """Return the path of the interpreter that a candidate runs, if it is of that version."""
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
    """Print the interpreter of the version named by the first argument; 1 if there is none."""
    if found := find(sys.argv[1]):
        sys.stdout.write(f"{found}\n")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
