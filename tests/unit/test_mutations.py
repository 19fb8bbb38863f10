from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.markdown import ROOT
from tests.mutations.table import MUTATIONS

if TYPE_CHECKING:
    from tests.mutations.mutation import Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutation(mutation: Mutation) -> None:
    """Each mutation changes one place that is there, and names tests that are."""
    assert (ROOT / mutation.path).read_text().count(mutation.old) == 1
    assert mutation.new != mutation.old
    assert all((ROOT / path).exists() for path in mutation.tests)


def test_enough() -> None:
    """There are at least twelve of them, no two alike."""
    assert len({(m.path, m.old, m.new) for m in MUTATIONS}) == len(MUTATIONS) >= 12
