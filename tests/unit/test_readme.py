from __future__ import annotations

import json
import re

import pytest

from core.flow import Flow
from core.outcome import KINDS, Succeeded
from local.demo.cases import ROWS
from tests import template
from tests.markdown import Page, code
from tests.template import ROOT
from tests.values import parsed

README = Page(ROOT / "README.md")
SECTIONS = [
    "Try it",
    "Your own work on AWS",
    "From your own durable function",
    "Which flow",
    "What can go wrong",
    "Links",
]
FUNCTIONS = {
    "EventBridge": "EventBridgeLambdaFunction",
    "Polling": "SyncLambdaFunction",
    "DynamoDB": "CallbackLambdaFunction",
}
WORDS = {9: "nine"}


def section(title: str) -> str:
    """The text below a title."""
    return README.text.partition(f"\n## {title}\n")[2].partition("\n## ")[0].strip()


def test_sections() -> None:
    """README has its sections in the order of its reader's questions."""
    assert re.findall(r"(?m)^## (.+)$", README.text) == SECTIONS


def test_pattern() -> None:
    """The pattern is introduced before it is mentioned."""
    first, *_ = re.findall(r"[^.]*\bpattern\b[^.]*", README.text)
    assert "Serverless Land" in first


@pytest.mark.parametrize("flow", Flow)
def test_payloads(flow: Flow) -> None:
    """Every JSON block of README that is no example of an answer is a payload for any flow."""
    answers = [f for f in README.fences if f.before.startswith("<!-- ")]
    payloads = [f for f in README.fences if f.language == "json" and f not in answers]
    assert payloads
    for payload in payloads:
        parsed(json.loads(payload.text), flow)


def test_payload_is_sent() -> None:
    """The payload that README explains is the one that its command sends."""
    [shown] = [f.text for f in README.fences if f.language == "json" and "<!--" not in f.before]
    [sent] = re.findall(r"--payload '(.+)'", README.text)
    assert json.loads(sent) == json.loads(shown)


def test_which_flow() -> None:
    """The choice begins with the flow for everybody, and names each flow's function."""
    assert section("Which flow").startswith("If unsure, EventBridge is the right flow.")
    rows = {row[0]: row for row in README.table("Flow", "Function")}
    assert set(rows) == set(FUNCTIONS)
    functions = template.stack("demo").resources
    for flow, logical_id in FUNCTIONS.items():
        name = functions[logical_id]["Properties"]["FunctionName"]
        assert code(rows[flow][1]) == [name.replace("demo", "…", 1)]


def test_promises() -> None:
    """Each of the four promises leads to a page that explains it and to a test that holds it."""
    promises = re.split(r"(?m)^\d\. ", section("What can go wrong"))[1:]
    assert len(promises) == 4
    for promise in promises:
        links = re.findall(r"\]\(([^)]+)\)", promise)
        assert {link.split("/")[0] for link in links} == {"docs", "tests"}
    failures = KINDS.keys() - {Succeeded.__name__}
    assert f"one of {WORDS[len(failures)]} kinds" in section("What can go wrong")


def test_pages() -> None:
    """README leads to every page of the documentation."""
    linked = {link.partition("#")[0] for link in README.links}
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= linked


def test_rows_of_the_demo() -> None:
    """The demo's rows on the page are those that it has, in their order, as they have to end."""
    [shown] = [f.text for f in README.fences if "✓" in f.text]
    rows = [line.split() for line in shown.splitlines() if "✓" in line]
    expected = [
        [flow.name, *case.name.split(), case.outcome, str(case.exit_code)] for flow, case in ROWS
    ]
    words = [len(row) - 2 for row in expected]
    # Between task and outcome are the execution, its status and the record's.
    assert [[*row[:n], *row[n + 3 : n + 5]] for n, row in zip(words, rows, strict=True)] == expected
