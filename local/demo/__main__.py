"""Run every flow on this machine and show how each task ended."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from local.demo.cases import CASES, FLOWS
from local.demo.display import Narrator, table
from local.demo.load import Load
from local.demo.row import Row
from local.stack.stack import PROJECT
from local.system import System

if TYPE_CHECKING:
    from local.demo.row import Report

_WIDTH = 150
_REFRESH_SECONDS = 0.5


def main() -> int:
    """Run the demo; return 0 if every row ended as it should."""
    options = _options()
    # Ended politely, the demo takes its workers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    # What a demo shows is its result.
    show = console.print
    show(
        f"Fargate's phases pass {options.time_scale:g} times as fast as in AWS; "
        "the workers' own work takes its real time."
    )
    with System(options.template, time_scale=options.time_scale) as system:
        if options.load:
            load = Load(system, options.load)
            load.run(console)
            show(load.summary)
            return 0 if load.is_right else 1
        rows = [Row(system, flow, case) for flow in FLOWS for case in CASES]
        reports = _watch(system, rows, console, options.timeout)
    show(table(reports))
    return 0 if all(row.is_as_expected(report) for row, report in reports.items()) else 1


def _watch(system: System, rows: list[Row], console: Console, timeout: float) -> dict[Row, Report]:
    """Show what happens, kill who is to be killed, and return how all ended."""
    narrator, show, heard, shown = Narrator(rows), console.print, 0, 0.0
    reports = {row: row.report() for row in rows}

    def look() -> bool:
        nonlocal heard, shown
        for entry in system.journal.after(heard):
            heard += 1
            if line := narrator.line(entry):
                show(line)
            if (found := narrator.worker(entry)) and found[0].case.kill:
                os.kill(found[1], signal.SIGKILL)
                show(f"[red]SIGKILL to {found[1]}[/]")
        if time.monotonic() - shown < _REFRESH_SECONDS:
            return False
        reports.update({row: row.report() for row in rows if not reports[row].is_over})
        live.update(table(reports), refresh=True)
        shown = time.monotonic()
        return all(report.is_over for report in reports.values()) and system.is_idle

    with Live(console=console, transient=True, auto_refresh=False) as live:
        system.journal.wait_for(look, timeout)
    return {row: row.report() for row in rows}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--template", type=Path, default=PROJECT / "template.yaml", help="what to run"
    )
    parser.add_argument(
        "--time-scale",
        type=float,
        default=10,
        help="how much faster than in AWS Fargate's phases and retries of events pass",
    )
    parser.add_argument(
        "--load", type=int, default=0, help="run so many EventBridge executions at once instead"
    )
    parser.add_argument("--timeout", type=float, default=90, help="seconds after which to give up")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
