from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.faults.catalogue import CHANCES, Catalogue
from tests.faults.scenario import Point, Scenario
from tests.faults.stage import Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    """A local system on threads of this process."""
    with stage() as made:
        yield made


@pytest.fixture(scope="module")
def catalogue(running: Stage) -> Catalogue:
    """All scenarios."""
    return Catalogue(running)


def stand_still() -> None:
    """Have this process stopped for seconds, which is a quarter of an hour at AWS's pace here."""
    own = os.getpid()
    subprocess.run(["/bin/sh", "-c", f"kill -STOP {own}; sleep 3; kill -CONT {own}"], check=True)


def test_sample(running: Stage, catalogue: Catalogue) -> None:
    """All executions end rightly after any death or fault of events, and no call is refused."""
    results = dict(running.run(catalogue.sample(), halfway=stand_still))
    own = catalogue.sampled()
    # Who is faster, an execution or an event, decides whether some of the calls are made; and which
    # executions a run of the reconciler finds to repair, who ended before it.
    for chance in range(CHANCES):
        missed = [catalogue.certain(flow, point) for flow, point in own - running.plan.struck]
        reached = {point for _, point in running.plan.struck}
        others = {p: each for p, each in catalogue.others().items() if p not in reached}
        missed += [each[chance % len(each)] for each in others.values()]
        if not missed:
            break
        results |= dict(running.run(missed))
    left = own - running.plan.struck
    assert not {f"{f}/{point}" for f, point in left if catalogue.is_certain(running, f, point)}
    reached = {point for _, point in running.plan.struck}
    assert not {str(point) for point in catalogue.others().keys() - reached}
    assert not {f"make faults ONLY='{s}'": found for s, found in results.items() if found}
    assert not running.system.authority.refused()


def test_catalogue_is_large(catalogue: Catalogue) -> None:
    """The scenarios are some three and a half thousand, and no two are the same."""
    scenarios = list(catalogue.all())
    assert len(set(scenarios)) == len(scenarios) > 3_000


def test_scenarios_are_written_and_read() -> None:
    """A scenario is what its line says."""
    point = Point("orchestrator", "RunTask", 1, "after")
    scenario = Scenario("polling", "exit 3", "doubled", (point, point), throttled=True, seed=7)
    for written in (scenario, Scenario("dynamodb", "failed to start")):
        assert Scenario.read(str(written)) == written


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("polling/exit 0/none/-", "has not the shape"),
        ("callback/exit 0/none/-/-", "none of polling, dynamodb, eventbridge"),
        ("polling/exit0/none/-/-", "none of exit 0, exit 3"),
        ("polling/exit 0/lost/-/-", "none of as they are, none"),
        ("polling/exit 0/none/worker:UpdateItem:1/-", "has not the shape"),
        ("polling/exit 0/none/worker:UpdateItem:one:before/-", "'one'"),
        ("polling/exit 0/none/worker:UpdateItem:1:during/-", "none of before, after"),
    ],
)
def test_lines_that_are_no_scenario(line: str, said: str) -> None:
    """A line that is no scenario is refused, and what is wrong with it is named."""
    with pytest.raises(ValueError, match=said):
        Scenario.read(line)
