"""The local system's arm: EventBridge executions, in process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from bench.measurement import Measurement, measure
from bench.requests import Recorder, Requests, is_motos
from local.demo.load import Load
from local.gateway import Call
from local.system import System

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCALE = 100
# Executions that are recorded side by side.
_RECORDED = 30
_LONGEST = 600


def record() -> list[Requests]:
    """Run some executions and return each one's requests to moto."""
    with _system() as system:
        system.seams.plan = recorder = Recorder(system)
        _run(system, _RECORDED)
        return recorder.requests()


def run(counts: Sequence[int]) -> list[Measurement]:
    """Run executions, for each count so many at once."""
    with _system() as system:
        _run(system, 1)
        return [measure(count, partial(_run, system, count)) for count in counts]


def _system() -> System:
    return System(time_scale=_SCALE, durable_scale=_SCALE, in_process=True)


def _run(system: System, count: int) -> int:
    """Run executions until everything is quiet, and return the number of requests to moto."""
    before = system.journal.count
    load = Load(system, count)
    load.run(Console(quiet=True))
    quiet = system.journal.wait_for(lambda: system.is_idle, _LONGEST)
    if not (quiet and load.is_right):
        raise RuntimeError(f"The system is at fault: {load.summary}.")
    calls = (entry for entry in system.journal.after(before) if isinstance(entry, Call))
    return sum(is_motos(call) for call in calls)
