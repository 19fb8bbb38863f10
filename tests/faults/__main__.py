"""`make faults`: run every scenario, and say which ones end wrongly and how to run them again."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from tests.faults.catalogue import Catalogue
from tests.faults.scenario import Scenario
from tests.faults.stage import stage

_SUMMARY = "{} scenarios, {} violations\n"


def main() -> int:
    """Run what the command line asks for; return 0 if nothing was violated."""
    options = _options()
    if options.only:
        return _tell(*_run([Scenario.read(text) for text in options.only]))
    if options.part is None:
        return _run_parts(options.parts)
    return _tell(*_run(None, options.part, options.parts))


def _run(chosen: list[Scenario] | None, part: int = 0, parts: int = 1) -> tuple[int, int]:
    wrong = count = 0
    with stage() as running:
        scenarios = chosen if chosen is not None else list(Catalogue(running).all())[part::parts]
        for scenario, found in running.run(scenarios):
            count += 1
            if found:
                wrong += 1
                sys.stdout.write(f"{'; '.join(found)}\n  make faults ONLY='{scenario}'\n")
                sys.stdout.flush()
    return count, wrong


def _run_parts(parts: int) -> int:
    """Run each part in a process of its own: threads share one core."""
    command = [sys.executable, "-m", "tests.faults", "--parts", str(parts), "--part"]
    running = [
        subprocess.Popen([*command, str(part)], stdout=subprocess.PIPE, text=True)
        for part in range(parts)
    ]
    count = wrong = failed = 0
    for process in running:
        *lines, summary = (process.communicate()[0] or "\n").splitlines()
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        told = [int(word) for word in summary.split() if word.isdigit()]
        count, wrong = count + sum(told[:1]), wrong + sum(told[1:])
        failed += process.returncode not in {0, 1} or len(told) != len(("count", "wrong"))
    return _tell(count, wrong) or bool(failed)


def _tell(count: int, wrong: int) -> int:
    sys.stdout.write(_SUMMARY.format(count, wrong))
    return 1 if wrong or not count else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", help="a scenario, as a violation names it")
    parser.add_argument("--parts", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--part", type=int, help="run one of the parts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
