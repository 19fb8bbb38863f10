"""The demo's executions, started and watched until they end."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from rich.live import Live

from local.demo.cases import ROWS, Harm
from local.demo.display import Narrator, table
from local.demo.load import Load
from local.demo.row import Row
from local.ecs.capacity import SPOT

if TYPE_CHECKING:
    from rich.console import Console

    from local.demo.row import Report
    from local.system import System

_REFRESH_SECONDS = 0.5
_INTERRUPTIBLE = {"capacityProviderName": SPOT, "desiredStatus": "RUNNING"}


def run_flows(system: System, console: Console, timeout: float) -> bool:
    """Run every row and show how all ended; return whether each ended as expected."""
    rows = [Row(system, flow, case) for flow, case in ROWS]
    reports = _watch(system, rows, console, timeout)
    console.print(table(reports))
    return all(row.is_as_expected(report) for row, report in reports.items())


def run_load(system: System, console: Console, count: int) -> bool:
    """Run many executions at once and show the result; return whether each succeeded."""
    load = Load(system, count)
    load.run(console)
    console.print(load.summary)
    return load.is_right


def _watch(system: System, rows: list[Row], console: Console, timeout: float) -> dict[Row, Report]:
    """Show the progress, do the cases' harm, and return how all ended."""
    narrator, show, heard, shown = Narrator(rows), console.print, 0, 0.0
    reports = {row: row.report() for row in rows}

    def harm(row: Row, pid: int, task_arn: str) -> None:
        task = system.tasks.get(task_arn)
        if row.case.harm is Harm.SIGKILL:
            os.kill(pid, signal.SIGKILL)
            show(f"[red]SIGKILL to {pid}[/]")
        elif row.case.harm and task and task.shows(_INTERRUPTIBLE):
            task.interrupt()
            show(f"[red]Spot interruption of the task of worker {pid}[/]")

    def look() -> bool:
        nonlocal heard, shown
        for entry in system.journal.after(heard):
            heard += 1
            if line := narrator.line(entry):
                show(line)
            if found := narrator.worker(entry):
                harm(*found)
        if time.monotonic() - shown < _REFRESH_SECONDS:
            return False
        reports.update({row: row.report() for row in rows if not reports[row].is_over})
        live.update(table(reports), refresh=True)
        shown = time.monotonic()
        over = all(report.is_over for report in reports.values()) and system.is_idle
        # An execution with a refused call may never end.
        return over or bool(system.authority.refused())

    with Live(console=console, transient=True, auto_refresh=False) as live:
        system.journal.wait_for(look, timeout)
    return {row: row.report() for row in rows}
