from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

from local.demo.cases import CASES, FLOWS
from local.demo.display import Narrator
from local.journal import Line, TaskChange
from local.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 🚀 → 1\n2", "Größe 🚀 → 1\n2"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\rb\x07\x00", r"a\rb\x07\x00"),
        ("\x9b\u202e\ud800", r"\x9b\u202e\ud800"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    """Control characters and halves of characters are escaped, letters and ends of lines stay."""
    assert printable(text) == shown


def test_demo() -> None:
    """A worker's log line reaches the demo's terminal as one line of plain text."""
    row: Any = SimpleNamespace(execution_id="one", flow=FLOWS[0], case=CASES[0])
    narrator = Narrator([row])
    narrator.line(TaskChange("arn:task", "RUNNING", "demo/one/1", 3))
    said = {"level": "INFO", "message": "\x1b[2Jcleared\n[red]alarm[/]", "pid": 7}
    line = narrator.line(Line("arn:task", json.dumps(said)))
    assert Text.from_markup(line or "").plain.endswith(
        r"worker 7 INFO \x1b[2Jcleared\n[red]alarm[/]"
    )
