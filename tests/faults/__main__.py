"""`make faults`: run every scenario, and say which ones end wrongly and how to run them again."""

from __future__ import annotations

import argparse
import sys

from tests.faults import grants, parts
from tests.faults.catalogue import Catalogue
from tests.faults.scenario import Scenario
from tests.faults.stage import stage


def main() -> int:
    """Run what the command line asks for; return 0 if nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--only", action="append", type=_scenario, help="a scenario, as a violation names it"
    )
    faults: list[str] = []
    if scenarios := parser.parse_args().only:
        result = parts.run(scenarios)
    else:
        with stage() as running:
            scenarios = list(Catalogue(running).all())
        result = parts.run_parts(scenarios)
        faults += grants.wrong(result.used)
    # Nothing is known of a point that nobody ever came to.
    never = "nobody came to this point in any scenario"
    faults += [parts.told(never, each[0]) for each in parts.missed(scenarios, result)]
    parts.say(*faults)
    wrong = result.wrong + len(faults)
    parts.say(f"{result.run} scenarios, {wrong} violations")
    return 1 if wrong or not result.run else 0


def _scenario(text: str) -> Scenario:
    try:
        return Scenario.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
