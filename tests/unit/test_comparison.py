from __future__ import annotations

import re

import pytest

from tests.markdown import Page
from tests.template import ROOT

PAGE = Page(ROOT / "docs" / "comparison.md")
# Sections that compare with no single tool.
ADVICE = "Durable functions or Step Functions"
OURS = {"What others call these ends", "What one request may say", "Nothing at all"}
SECTIONS = dict(part.partition("\n")[::2] for part in re.split(r"(?m)^## ", PAGE.text)[1:])
TOOLS = SECTIONS.keys() - OURS - {ADVICE}


@pytest.mark.parametrize("title", sorted({*TOOLS, ADVICE}))
def test_sources(title: str) -> None:
    """A section on another tool has an address where it was read."""
    assert re.search(r"\]\(https://", SECTIONS[title])


@pytest.mark.parametrize("title", sorted(TOOLS))
def test_fairness(title: str) -> None:
    """A section on another tool says when to prefer it."""
    assert re.search(r"\*\*Prefer (?!this)[\w\s]+\*\*", SECTIONS[title])


def test_day() -> None:
    """The page says on which day its claims were looked up, before it makes any."""
    assert re.search(r"on 20\d\d-\d\d-\d\d", PAGE.text.partition("\n|")[0])


def test_code_is_pinned() -> None:
    """A link to another repository's code names a commit, so that it shows what was read."""
    shown = [link for link in PAGE.links if re.search(r"github\.com/.+/(blob|tree)/", link)]
    assert shown
    assert [link for link in shown if not re.search(r"/(blob|tree)/[0-9a-f]{40}/", link)] == []


def test_overview() -> None:
    """Each tool of the overview leads to its section."""
    rows = PAGE.table("", "Written in", "What you keep running")
    targets = [re.findall(r"\]\(#([^)]+)\)", row[0]) for row in rows[1:]]
    assert all(len(target) == 1 and target[0] in PAGE.anchors for target in targets)
