"""Payloads that a page shows, each with its flows and its end in a comment before it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tests.markdown import Page
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import Flow, User

_LOOKS: dict[Flow, dict[str, Any]] = {
    "polling": {"pollSeconds": 1},
    "dynamodb": {},
    "eventbridge": {},
}


class Example(NamedTuple):
    """A payload of a page.

    Attributes:
        flow: which it is run in.
        payload: what is sent.
        end: the outcome's kind and its exit code, in words.
    """

    flow: Flow
    payload: dict[str, Any]
    end: str

    def start(self, user: User) -> str:
        """Start an execution with the payload, and return its ARN."""
        return user.start(self.flow, **(_LOOKS[self.flow] | self.payload))

    def check(self, record: dict[str, Any]) -> None:
        """See that a closed record's task has ended as the page says."""
        outcome = record["lastOutcome"]
        assert f"{outcome['kind']} {outcome['exitCode']}" == self.end, record
        assert record["status"] == ("COMPLETED" if outcome["kind"] == "Succeeded" else "FAILED")


def examples(page: str) -> Iterator[Example]:
    """Yield the payloads of a page below docs/, once for each flow that its comment names."""
    for fence in Page(ROOT / "docs" / page).fences:
        if fence.language == "json":
            told = fence.before.removeprefix("<!-- ").removesuffix(" -->")
            flows, _, end = told.partition(": ")
            for flow in flows.split(", "):
                yield Example(cast("Flow", flow), json.loads(fence.text), end)
