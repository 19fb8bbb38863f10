"""`make mutate`: break a copy of the project in each known way, and see that tests notice."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from local.stack.stack import PROJECT
from tests.mutations.table import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutations.mutation import Mutation

_TESTS_FAILED = 1
_PARTS = ("src", "local", "tests", "scripts", "events", "docs")
_PATIENCE = 600


def main() -> int:
    """Try each mutation; return 0 if every one is noticed."""
    chosen = [mutation for mutation in MUTATIONS if _options().only in mutation.name]
    with tempfile.TemporaryDirectory() as folder:
        if not _passes(Path(folder, "clean"), sorted({t for m in chosen for t in m.tests})):
            sys.stderr.write("Some tests fail without any mutation.\n")
            return 1
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            tried = pool.map(lambda m: (m, _is_caught(Path(folder, m.name), m)), chosen)
            return _tell(tried)


def _tell(tried: Iterable[tuple[Mutation, bool]]) -> int:
    missed = count = 0
    for mutation, caught in tried:
        count, missed = count + 1, missed + (not caught)
        sys.stdout.write(f"{'caught' if caught else 'MISSED'}  {mutation.name}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{count} mutations, {missed} missed\n")
    return 1 if missed or not count else 0


def _is_caught(folder: Path, mutation: Mutation) -> bool:
    _copy(folder)
    path = folder / mutation.path
    path.write_text(path.read_text().replace(mutation.old, mutation.new))
    # Another code than this is no failed test, but a run that never was.
    return _run(folder, mutation.tests) == _TESTS_FAILED


def _passes(folder: Path, tests: Iterable[str]) -> bool:
    _copy(folder)
    return _run(folder, tests) == 0


def _run(folder: Path, tests: Iterable[str]) -> int:
    # The example that fails need not be the smallest one.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=1"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, timeout=_PATIENCE, check=False
    ).returncode


def _copy(folder: Path) -> None:
    folder.mkdir()
    for name in _PARTS:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    for path in PROJECT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", default="", help="words of the mutations' names")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
