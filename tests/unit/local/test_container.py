from __future__ import annotations

import pytest

from local.gateway import Caller
from local.inprocess.container import ThreadContainer
from tests.waiting import PATIENCE


def fail() -> int:
    """Work whose own error nobody has caught."""
    raise KeyError("MESSAGE")


@pytest.mark.parametrize(("work", "code"), [(lambda: 0, 0), (lambda: 3, 3), (fail, 1)])
def test_exit_code(work: object, code: int) -> None:
    """A worker on a thread ends with the code that its process would end with."""
    container = ThreadContainer(work, Caller("worker", "Role"))  # type: ignore[arg-type] # parametrized
    assert container.wait(PATIENCE) == code
