"""Run every flow on this machine, and show how each task ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from local.greeting import worker_notice
from local.printable import printable
from local.program import count, parser, run, started

if TYPE_CHECKING:
    import argparse

_WIDTH = 150


def main() -> int:
    """Run the demo; return 0 if every row ended as it should."""
    from rich.console import Console  # noqa: PLC0415 - Ctrl-C is heard while it loads

    options = _options()
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    # The demo's rows are its result.
    console.print(
        f"In this demo, each wait is {options.time_scale:g} times shorter than on AWS. "
        "The workers need the same time as on AWS."
    )
    scale = options.time_scale
    with started(options.template, scale, durable_scale=scale) as system:
        from local.demo.watch import run_flows, run_load  # noqa: PLC0415 - loads for seconds

        for notice in worker_notice(system.stack.worker_image):
            console.print(notice)
        if options.load:
            went_well = run_load(system, console, options.load)
        else:
            went_well = run_flows(system, console, options.timeout)
        refused = system.authority.refused()
        for message in refused:
            console.print(printable(message), style="red", markup=False, soft_wrap=True)
    return 0 if went_well and not refused else 1


def _options() -> argparse.Namespace:
    options = parser("local.demo", __doc__, time_scale=10)
    options.add_argument(
        "--load", type=count, help="run so many EventBridge executions at once instead"
    )
    options.add_argument(
        "--timeout", type=float, default=600, help="seconds after which to give up"
    )
    return options.parse_args()


if __name__ == "__main__":
    run(main)
