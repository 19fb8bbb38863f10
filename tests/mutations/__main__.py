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

_TESTS_FAILED, _HUNG = 1, -1
_PARTS = ("src", "local", "tests", "scripts", "events", "docs")
_PATIENCE = 900
# A test that fails may leave an execution behind that no moto answers any more: whatever is not on
# this machine is asked for at a port that nobody listens on.
_NOWHERE = "http://127.0.0.1:9"
_OFFLINE = {"HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}


def main() -> int:
    """Try each mutation; return 0 if every one is noticed."""
    chosen = [mutation for mutation in MUTATIONS if _options().only in mutation.name]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        _copy(PROJECT, clean := Path(folder, "clean"))
        # What fails without a mutation says nothing of one.
        passes = pool.submit(_run, clean, sorted({t for m in chosen for t in m.tests}))
        tried = [(m, pool.submit(_is_caught, clean, Path(folder, m.name), m)) for m in chosen]
        missed = [_tell(mutation, caught.result()) for mutation, caught in tried].count(False)
        sys.stdout.write(f"{len(chosen)} mutations, {missed} missed\n")
        if passes.result() != 0:
            sys.stderr.write("Some of these tests fail without any mutation.\n")
        return 1 if missed or passes.result() or not chosen else 0


def _tell(mutation: Mutation, caught: bool) -> bool:
    sys.stdout.write(f"{'caught' if caught else 'MISSED'}  {mutation.name}\n")
    sys.stdout.flush()
    return caught


def _is_caught(clean: Path, folder: Path, mutation: Mutation) -> bool:
    _copy(clean, folder)
    path = folder / mutation.path
    path.write_text(path.read_text().replace(mutation.old, mutation.new))
    # Another code than this is no failed test, but a run that never was.
    return _run(folder, mutation.tests) == _TESTS_FAILED


def _run(folder: Path, tests: Iterable[str]) -> int:
    # The example that fails need not be the smallest one.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=1"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    environment = {**os.environ, **_OFFLINE}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        # Nothing was noticed, if only because nothing ended.
        return _HUNG


def _copy(source: Path, folder: Path) -> None:
    folder.mkdir()
    for name in _PARTS:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(source / name, folder / name, ignore=ignored)
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", default="", help="words of the mutations' names")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
