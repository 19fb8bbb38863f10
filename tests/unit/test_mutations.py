from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.mutations import policies
from tests.mutations.table import MUTATIONS
from tests.mutations.trial import CAUGHT, run, verdict
from tests.permissions.check import differences
from tests.template import ROOT, translated

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mutations.mutation import Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutation(mutation: Mutation) -> None:
    """Each mutation changes code at one existing place, and names existing tests."""
    text = (ROOT / mutation.path).read_text()
    assert text.count(mutation.old) == 1
    assert mutation.new != mutation.old
    # What is no code is noticed by every test, and shows nothing.
    if mutation.path.endswith(".py"):
        ast.parse(text.replace(mutation.old, mutation.new))
    assert all((ROOT / path).exists() for path in mutation.tests)


def test_enough() -> None:
    """There are at least twelve mutations, no two alike."""
    assert len({(m.path, m.old, m.new) for m in MUTATIONS}) == len(MUTATIONS) >= 12


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("def test(): assert 0", CAUGHT),
        ("def test(): pass", "MISSED: the tests passed"),
        ("import nothing_of_this_name", "MISSED: the tests cannot be collected"),
        ("", "MISSED: there are no tests"),
    ],
    ids=["fails", "passes", "broken", "empty"],
)
def test_verdict(tmp_path: Path, test: str, expected: str) -> None:
    """A mutation is caught by a test that fails, and by nothing else."""
    (tmp_path / "test_it.py").write_text(test)
    assert verdict(tmp_path, ["test_it.py"]) == expected


def test_run_that_does_not_end(tmp_path: Path) -> None:
    """Tests that hang notice nothing."""
    (tmp_path / "test_it.py").write_text("import threading; threading.Event().wait(60)")
    assert run(tmp_path, ["test_it.py"], patience=2).code is None


def test_policy_mutations() -> None:
    """The comparison of policies notices every known way to break one."""
    template = translated()
    edits = list(policies.edits(template))
    assert len({edit.what for edit in edits}) == len(edits) >= 200
    assert differences(template) == []
    assert policies.missed(template, edits) == []
