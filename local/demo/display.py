"""The demo's display: each change as a line, the state of all below, a table at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from local.gateway import execution_of
from local.journal import Line, TaskChange
from local.nesting import read
from local.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.demo.row import Report, Row
    from local.journal import Entry

_TEXTS = ("flow", "task", "execution", "status", "record", "outcome")
_NUMBERS = (
    "duration",
    "attempts",
    "durable operations",
    "orchestrator invocations",
    "task-state invocations",
)


def table(reports: Mapping[Row, Report]) -> Table:
    """Return a table of all executions' states."""
    drawn = Table(header_style="bold", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for title in _TEXTS:
        drawn.add_column(title, no_wrap=True)
    for title in _NUMBERS:
        drawn.add_column(title, justify="right", width=max(map(len, title.split())))
    drawn.add_column("", no_wrap=True)
    for row, report in reports.items():
        outcome = f"{report.outcome} {report.exit_code}" if report.outcome else "…"
        drawn.add_row(
            row.flow.name,
            row.case.name,
            row.execution_id[:8],
            report.status,
            report.record or "…",
            outcome,
            f"{report.seconds:.1f} s",
            str(len(report.capacities)),
            str(report.operations),
            str(report.invocations),
            str(report.deliveries),
            _verdict(row, report),
        )
    return drawn


def _verdict(row: Row, report: Report) -> str:
    if row.is_as_expected(report):
        return "[green]✓[/]"
    return "[red]✗ not as expected[/]" if report.is_over else "[yellow]not over[/]"


class Narrator:
    """Puts the journal's entries about the demo's tasks into words."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = {row.execution_id: row for row in rows}
        self._by_task: dict[str, Row] = {}
        self._pids: dict[str, int] = {}

    def line(self, entry: Entry) -> str | None:
        """Return an entry as a line for people; None if it is not about a task of the demo."""
        match entry:
            case TaskChange(task_arn, status, started_by):
                row = self._rows.get(execution_of(started_by) or "")
                if row:
                    self._by_task[task_arn] = row
                return f"{_name(row)} [cyan]task {status}[/]" if row else None
            case Line(source):
                row = self._by_task.get(source)
                return f"{_name(row)} {self._log_line(entry)}" if row else None
            case _:
                return None

    def worker(self, entry: Entry) -> tuple[Row, int, str] | None:
        """Return row, process id and task of a worker that has just begun its work."""
        if not isinstance(entry, Line):
            return None
        row, line = self._by_task.get(entry.source), _json(entry.text)
        return (row, line["pid"], entry.source) if row and "pid" in line else None

    def _log_line(self, entry: Line) -> str:
        line = _json(entry.text)
        pid = self._pids.setdefault(entry.source, line.get("pid", 0))
        said = printable(f"{line.get('level')} {line.get('message')}").replace("\n", r"\n")
        return f"[magenta]worker {pid}[/] {escape(said)}"


def _name(row: Row) -> str:
    return f"[bold]{row.flow.name:<11}[/] {row.case.name:<12}"


def _json(text: str) -> dict[str, Any]:
    try:
        line = read(text)
    except ValueError:
        return {"message": text}
    return line if isinstance(line, dict) else {"message": text}
