"""`make faults`: run every scenario, and say which ones end wrongly and how to run them again."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.faults.catalogue import Catalogue
from tests.faults.scenario import Scenario
from tests.faults.stage import stage

_SUMMARY = "{} scenarios, {} violations\n"


def main() -> int:
    """Run what the command line asks for; return 0 if nothing was violated."""
    options = _options()
    if options.only:
        return _tell(*_run([Scenario.read(text) for text in options.only]))
    if options.read:
        return _tell(*_run([Scenario.read(line.rstrip("\n")) for line in sys.stdin]))
    with stage() as running:
        scenarios = list(Catalogue(running).all())
    return _run_parts(scenarios, options.parts)


def _run(scenarios: list[Scenario]) -> tuple[int, int]:
    wrong = 0
    with stage() as running:
        for scenario, found in running.run(scenarios):
            if found:
                wrong += 1
                sys.stdout.write(f"{'; '.join(found)}\n  make faults ONLY='{scenario}'\n")
                sys.stdout.flush()
    return len(scenarios), wrong


def _run_parts(scenarios: list[Scenario], parts: int) -> int:
    """Run each part in a process of its own: threads share one core."""
    with ThreadPoolExecutor(parts) as pool:
        ended = list(pool.map(_run_part, (scenarios[part::parts] for part in range(parts))))
    count, wrong = (sum(numbers) for numbers in zip(*ended, strict=True))
    return _tell(count, wrong)


def _run_part(scenarios: list[Scenario]) -> tuple[int, int]:
    lines = "".join(f"{scenario}\n" for scenario in scenarios)
    command = [sys.executable, "-m", "tests.faults", "--read"]
    completed = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=False)
    *violations, summary = completed.stdout.splitlines() or [""]
    sys.stdout.write("".join(f"{line}\n" for line in violations))
    count, wrong = [int(word) for word in summary.split() if word.isdigit()] or (0, 0)
    # A process that died has not run what it was given.
    return count, wrong + (len(scenarios) - count)


def _tell(count: int, wrong: int) -> int:
    sys.stdout.write(_SUMMARY.format(count, wrong))
    return 1 if wrong or not count else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", help="a scenario, as a violation names it")
    parser.add_argument("--parts", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--read", action="store_true", help="read scenarios, a line each")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
