"""`make mutate`: break a copy of the project in each known way, and see that tests notice."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.stack.stack import PROJECT
from tests.mutations import policies
from tests.mutations.table import MUTATIONS
from tests.mutations.trial import CAUGHT, Run, run, verdict
from tests.permissions.check import differences
from tests.template import translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.mutations.edit import Edit
    from tests.mutations.mutation import Mutation

_PARTS = ("src", "bench", "local", "tests", "scripts", "events", "docs", "requirements")
_SHOWN_LINES = 20


def main() -> int:
    """Try each mutation; return 0 if every one is noticed."""
    only = _options().only
    template = translated()
    of_code = [mutation for mutation in MUTATIONS if only in mutation.name]
    of_policies = [edit for edit in policies.edits(template) if only in edit.what]
    if not of_code and not of_policies:
        names = "\n  ".join(mutation.name for mutation in MUTATIONS)
        sys.stderr.write(
            f"No mutation's name contains {only!r}. Beside those of the template's policies, "
            f"which begin with the resource's name, there are:\n  {names}\n"
        )
        return 2
    noticed = _try_policies(template, of_policies)
    return 0 if _try_code(of_code) and noticed else 1


def _try_policies(template: Mapping[str, Any], chosen: Sequence[Edit]) -> bool:
    if not chosen:
        return True
    wrong = differences(template)
    if wrong:
        shown = "\n".join(wrong)
        sys.stderr.write(f"The policies are wrong without any mutation:\n{shown}\n")
    missed = policies.missed(template, chosen)
    for name in missed:
        sys.stdout.write(
            f"MISSED: the template still seems to be as docs/permissions.md says  {name}\n"
        )
    sys.stdout.write(f"{len(chosen)} policy mutations, {len(missed)} missed\n")
    sys.stdout.flush()
    return not wrong and not missed


def _try_code(chosen: Sequence[Mutation]) -> bool:
    if not chosen:
        return True
    # Some trials wait more than they work.
    workers = (os.cpu_count() or 1) + 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        _copy(PROJECT, clean := Path(folder, "clean"))
        # What fails without a mutation says nothing of one.
        unbroken = pool.submit(run, clean, sorted({t for m in chosen for t in m.tests}))
        tried = [(m, pool.submit(_try, clean, Path(folder, m.name), m)) for m in chosen]
        missed = [_tell(mutation, found.result()) for mutation, found in tried].count(False)
        sys.stdout.write(f"{len(chosen)} mutations, {missed} missed\n")
        return _passes(unbroken.result()) and not missed


def _passes(unbroken: Run) -> bool:
    if not unbroken.passed:
        shown = "\n".join(unbroken.output.splitlines()[-_SHOWN_LINES:])
        sys.stderr.write(f"Some of these tests fail without any mutation:\n{shown}\n")
    return unbroken.passed


def _tell(mutation: Mutation, found: str) -> bool:
    sys.stdout.write(f"{found}  {mutation.name}\n")
    sys.stdout.flush()
    return found == CAUGHT


def _try(clean: Path, folder: Path, mutation: Mutation) -> str:
    _copy(clean, folder)
    path = folder / mutation.path
    path.write_text(path.read_text().replace(mutation.old, mutation.new))
    return verdict(folder, mutation.tests)


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
