from __future__ import annotations

import ast
from itertools import chain

import pytest

from tests.template import ROOT

CORE = ROOT / "src" / "core"
DEMO = {
    *("message", "processing_time", "processingTime", "simulate"),
    *("MESSAGE", "PROCESSING_TIME", "SIMULATE"),
}
# A worker's progress and X-Ray have words of their own.
OTHERS = {CORE / name: {"message"} for name in ("reported.py", "trace.py")}


def named(source: str) -> set[str]:
    """Return every name and every text of a module."""
    fields = chain.from_iterable(map(ast.iter_fields, ast.walk(ast.parse(source))))
    parts = chain.from_iterable(p if isinstance(p, list) else [p] for _, p in fields)
    return {part for part in parts if isinstance(part, str)}


def test_fields_of_the_demo() -> None:
    """The demo's fields have names in the payload's module, and in no other one of the core."""
    sources = {
        path: named(path.read_text()) - OTHERS.get(path, set()) for path in CORE.rglob("*.py")
    }
    modules = [path for path, names in sources.items() if names & DEMO]
    assert modules == [CORE / "payload.py"]


@pytest.mark.parametrize(
    "source",
    [
        "record.message",
        "def told(*, message): ...",
        "def simulate(): ...",
        "class Record:\n    processing_time: int",
        "told(message=1)",
        'told["processingTime"]',
        'x = {"MESSAGE": 1}',
        "from x import simulate",
        "match x:\n    case Work(message=y): ...",
        "match x:\n    case simulate: ...",
    ],
)
def test_every_name_is_seen(source: str) -> None:
    """A name of the demo is found wherever a module may have one."""
    assert named(source) & DEMO
