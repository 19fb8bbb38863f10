"""`make demo LOAD=200`: many EventBridge executions at once, with real workers."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from local.demo.cases import FLOWS
from local.functions.process import memory
from local.journal import TaskChange

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from rich.console import Console

    from local.system import System

_PAYLOAD = {"message": "Load", "processingTime": 1}
_SECONDS_EACH = 5


@dataclass
class Load:
    """A number of executions.

    Attributes:
        seconds: the time that all took.
        peak: highest memory of all processes together, in MiB.
    """

    system: System
    count: int
    seconds: float = 0
    peak: float = 0
    _tasks: list[str] = field(default_factory=list)
    _started: set[str] = field(default_factory=set)
    _read: int = 0

    def run(self, console: Console) -> None:
        """Run them to their end."""
        began, self._read = time.monotonic(), self.system.journal.count
        waiting = deque(self._start() for _ in range(self.count))
        with Progress(console=console) as progress:
            task = progress.add_task("executions ended", total=self.count)

            def look() -> bool:
                self._follow()
                # Only the first waiting one is asked for: asking for all would slow them down.
                while waiting and (execution := self._execution(waiting[0]))["Status"] != "RUNNING":
                    waiting.popleft()
                    self._end(execution)
                    progress.advance(task)
                self.peak = max(self.peak, self._memory())
                # An execution with a refused call may never end.
                return not waiting or bool(self.system.authority.refused())

            self.system.journal.wait_for(look, 60 + _SECONDS_EACH * self.count)
        self.seconds = time.monotonic() - began

    @property
    def is_right(self) -> bool:
        """Whether each execution succeeded, with one task."""
        return len(self._tasks) == len(set(self._tasks)) == len(self._started) == self.count

    @property
    def summary(self) -> str:
        """The result, in a line."""
        return (
            f"{len(self._tasks)} of {self.count} executions succeeded, "
            f"{len(set(self._tasks))} tasks of {len(self._started)} started: "
            f"{self.count / self.seconds:.1f} executions a second, {self.seconds:.0f} s in all, "
            f"{self.peak:.0f} MiB at most"
        )

    def _follow(self) -> None:
        # ECS itself forgets tasks.
        entries = self.system.journal.after(self._read)
        self._read += len(entries)
        self._started |= {entry.task_arn for entry in entries if isinstance(entry, TaskChange)}

    def _execution(self, arn: str) -> dict[str, Any]:
        return dict(self._lambda.get_durable_execution(DurableExecutionArn=arn))

    def _end(self, execution: dict[str, Any]) -> None:
        if execution["Status"] == "SUCCEEDED":
            self._tasks.append(json.loads(execution["Result"])["taskArn"])

    def _start(self) -> str:
        output = next(flow.output for flow in FLOWS if flow.name == "eventbridge")
        answer = self._lambda.invoke(
            FunctionName=self.system.stack.outputs[output],
            InvocationType="Event",
            Payload=json.dumps(_PAYLOAD),
        )
        return str(answer["DurableExecutionArn"])

    @cached_property
    def _lambda(self) -> BaseClient:
        return self.system.account.client("lambda")

    def _memory(self) -> float:
        """Return the resident memory of this process, the functions and the workers, in MiB."""
        pids = [os.getpid()]
        pids += [pid for function in self.system.functions.values() for pid in function.pids()]
        pids += [task.pid for task in self.system.tasks.all() if task.pid]
        return sum(map(memory, pids)) / 2**20
