"""The files of events/, with what their README says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.markdown import Page
from tests.template import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "events"
NAME = "lambda-ecs-durable-demo"
# The columns of the README's tables.
PAYLOADS = ("File", "Flow", "What it shows")
TASK_EVENTS = ("File", "What it shows", "Rule", "Outcome", "Done")


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


def samples(columns: tuple[str, ...]) -> dict[str, Sample]:
    """Return the files that the table with these columns lists, by name and in its order."""
    folder = FOLDER if columns == PAYLOADS else FOLDER / "task-state"
    rows = Page(FOLDER / "README.md").table(*columns)
    cells = ([cell.strip("`") for cell in row[: len(columns)]] for row in rows)
    return {row[0]: Sample(folder / row[0], dict(zip(columns, row, strict=True))) for row in cells}


def environment() -> dict[str, str]:
    """Return the variables that the samples are for."""
    return dict(json.loads((FOLDER / "environment.json").read_text())["Parameters"])
