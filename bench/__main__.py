"""Measure the local system and a cold start, each beside its floor, and print the ratios."""

from __future__ import annotations

import argparse

from rich.console import Console

from bench import floor, imports, system
from bench.measurement import apart


def main() -> None:
    """Run both arms, each in a process of its own."""
    counts = _options().executions
    show = Console(highlight=False, soft_wrap=True).print
    recorded = apart(system.record)
    ours, floors = apart(system.run, counts), apart(floor.run, recorded, counts)
    for mine, bound in zip(ours, floors, strict=True):
        show(f"{mine.executions} executions side by side")
        show(f"  floor   {bound}")
        show(f"  system  {mine}")
        show(f"  the system has {mine.rate / bound.rate:.2f} of the floor's rate")
    cold = imports.run()
    show("import of the task-state function and its clients, CPU of a new process")
    show(f"  boto3 and the same clients  {1000 * cold.floor:.0f} ms")
    show(f"  with Tracer                 {1000 * cold.traced:.0f} ms")
    show(f"  the function                {1000 * cold.ours:.0f} ms")
    show(f"  the function takes {cold.ours / cold.traced:.2f} of what these with Tracer take")
    executions, grown = sum(m.executions for m in ours), sum(m.kibibytes for m in ours)
    show(f"after {executions} executions the system holds {grown / executions:.0f} KiB for each")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--executions",
        type=int,
        nargs="+",
        default=[200],
        metavar="N",
        help="how many side by side; several numbers run one after the other",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
