from __future__ import annotations

from core.polling import longest_wait, poll_delay
from tests.markdown import Page
from tests.template import ROOT

FLOWS = Page(ROOT / "docs" / "flows.md")
TITLES = ("Polling", "DynamoDB", "EventBridge")
# As the pattern describes each of its flows, and what each cannot do.
PARTS = ("How it works", "Key features", "Use cases", "Advantages", "Limits")


def test_parts() -> None:
    """Each flow is described under the pattern's headings, in their order."""
    for title in TITLES:
        text = FLOWS.text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        found = [text.index(f"\n**{part}**") for part in PARTS]
        assert found == sorted(found)


def test_comparison() -> None:
    """The comparison has the pattern's ten points, each for every flow."""
    rows = FLOWS.table("Feature", *TITLES)
    assert len(rows) == 10
    assert all(cell for row in rows for cell in row)


def test_numbers_of_polling() -> None:
    """The page's numbers of polling's reach and operations are the code's."""
    assert f"{longest_wait(None) // 86_400} days" in FLOWS.text
    assert f"each attempt can last up to {longest_wait(None, 3) // 86_400} days" in FLOWS.text
    looks = elapsed = 0
    while elapsed < 3_600:
        looks += 1
        elapsed += poll_delay(looks, elapsed, None)
    # The last wait ends in a look; beside looks: execution, launch, wait and close.
    assert f"For a task of an hour, Lambda bills {looks + 1 + 4} operations." in FLOWS.text
