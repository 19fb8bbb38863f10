"""The files of events/, with what their README says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ROOT / "events"
NAME = "lambda-ecs-durable-demo"


@dataclass(frozen=True, slots=True)
class Sample:
    """One file.

    Attributes:
        cells: the README's cells on it, by column, without backticks.
    """

    path: Path
    cells: dict[str, str]

    def read(self) -> Any:
        """Return the file's JSON."""
        return json.loads(self.path.read_text())


PAYLOADS, TASK_EVENTS = "## Payloads", "## Task events"


def samples(section: str) -> dict[str, Sample]:
    """Return the files that a section's table lists, by name and in its order."""
    text = (FOLDER / "README.md").read_text().partition(section)[2].partition("\n## ")[0]
    folder = FOLDER if section == PAYLOADS else FOLDER / "task-state"
    return {row["File"]: Sample(folder / row["File"], row) for row in _rows(text)}


def environment() -> dict[str, str]:
    """Return the variables that the samples are for."""
    return dict(json.loads((FOLDER / "environment.json").read_text())["Parameters"])


def _rows(text: str) -> Iterator[dict[str, str]]:
    lines = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    header, _, *rows = ([cell.strip(" `") for cell in line.split("|")] for line in lines)
    for row in rows:
        yield dict(zip(header, row, strict=True))
