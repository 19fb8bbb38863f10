from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.system import System
from tests.e2e.user import User
from tests.integration.local.examples import Example, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = [*examples("payload.md")]


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """A user of a local system with real processes."""
    with System(time_scale=100) as running:
        yield User(running)


@pytest.fixture(scope="module")
def started(user: User) -> list[str]:
    """All examples, each as an execution that has been started."""
    return [each.start(user) for each in EXAMPLES]


@pytest.mark.parametrize(
    ("number", "example"),
    [*enumerate(EXAMPLES)],
    ids=[f"{number}-{each.flow}" for number, each in enumerate(EXAMPLES)],
)
def test_example(user: User, started: list[str], number: int, example: Example) -> None:
    """Each payload of docs/payload.md ends as the page says, in each of its flows."""
    example.check(user.closed(started[number]))
