"""The figures of one arm of the bench."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from local.functions.process import memory

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number of executions that ran side by side.

    Attributes:
        executions: number of executions.
        seconds: the time that all took.
        cpu_seconds: CPU time of this process meanwhile.
        kibibytes: growth of the process's memory.
        requests: number of requests that moto answered.
    """

    executions: int
    seconds: float
    cpu_seconds: float
    kibibytes: float
    requests: int

    @property
    def rate(self) -> float:
        """Executions a second."""
        return self.executions / self.seconds

    def __str__(self) -> str:
        """Return all figures in a line."""
        each = 1 / self.executions
        return (
            f"{self.rate:6.2f} executions a second; each: "
            f"{1000 * self.cpu_seconds * each:.0f} ms of CPU, {self.kibibytes * each:.0f} KiB, "
            f"{self.requests * each:.1f} requests to moto"
        )


def measure(executions: int, run: Callable[[], int]) -> Measurement:
    """Run executions, and measure what they take.

    Args:
        executions: number of executions.
        run: runs them to their end, and returns the number of requests to moto.
    """
    held, began, worked = memory(os.getpid()), time.monotonic(), time.process_time()
    requests = run()
    seconds, cpu = time.monotonic() - began, time.process_time() - worked
    return Measurement(executions, seconds, cpu, (memory(os.getpid()) - held) / 1024, requests)


def apart(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own, with its own memory and moto."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()
