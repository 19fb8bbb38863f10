from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from local.system import System
from tests.e2e.user import Flow, User
from tests.markdown import Page
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Example(NamedTuple):
    """A payload of the page.

    Attributes:
        flow: which it is run in.
        payload: what is sent.
        end: the outcome's kind and its exit code, in words.
    """

    flow: Flow
    payload: dict[str, Any]
    end: str


def examples() -> Iterator[Example]:
    """Yield the page's payloads, each once for each flow that the comment before it names."""
    for fence in Page(ROOT / "docs" / "payload.md").fences:
        if fence.language == "json":
            told = fence.before.removeprefix("<!-- ").removesuffix(" -->")
            flows, _, end = told.partition(": ")
            for flow in flows.split(", "):
                yield Example(cast("Flow", flow), json.loads(fence.text), end)


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """A user of a local system with real processes."""
    with System(time_scale=100) as running:
        yield User(running)


@pytest.fixture(scope="module")
def started(user: User) -> list[str]:
    """All examples, each as an execution that has been started."""
    return [user.start(each.flow, **(_LOOKS[each.flow] | each.payload)) for each in examples()]


_LOOKS: dict[Flow, dict[str, Any]] = {
    "polling": {"pollSeconds": 1},
    "dynamodb": {},
    "eventbridge": {},
}


@pytest.mark.parametrize(
    ("number", "example"),
    [*enumerate(examples())],
    ids=[f"{number}-{each.flow}" for number, each in enumerate(examples())],
)
def test_example(user: User, started: list[str], number: int, example: Example) -> None:
    """Each payload of docs/payload.md ends as the page says, in each of its flows."""
    record = user.closed(started[number])
    outcome = record["lastOutcome"]
    assert f"{outcome['kind']} {outcome['exitCode']}" == example.end, record
    assert record["status"] == ("COMPLETED" if outcome["kind"] == "Succeeded" else "FAILED")
