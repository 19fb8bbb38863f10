from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """The local system, with all of AWS's waits a hundred times as fast."""
    with System(time_scale=100) as running:
        yield running
