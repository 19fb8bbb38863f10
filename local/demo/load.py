"""`make demo LOAD=200`: many EventBridge executions at once, with real workers."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from local.demo.cases import FLOWS
from local.functions.process import memory

if TYPE_CHECKING:
    from rich.console import Console

    from local.system import System

_PAYLOAD = {"message": "Load", "processingTime": 1}
_SECONDS_EACH = 5


@dataclass
class Load:
    """A number of executions.

    Attributes:
        peak: most memory that all processes together held, in MiB.
    """

    system: System
    count: int
    peak: float = 0

    def run(self, console: Console) -> int:
        """Run them to their end; return 0 if each ended rightly with one task."""
        began = time.monotonic()
        waiting = {self._start() for _ in range(self.count)}
        results: list[dict[str, Any]] = []
        with Progress(console=console) as progress:
            task = progress.add_task("executions ended", total=self.count)

            def look() -> bool:
                for arn in list(waiting):
                    execution = self._lambda.get_durable_execution(DurableExecutionArn=arn)
                    if execution["Status"] != "RUNNING":
                        waiting.remove(arn)
                        results.append(execution)
                        progress.advance(task)
                self.peak = max(self.peak, self._memory())
                return not waiting

            self.system.journal.wait_for(look, 60 + _SECONDS_EACH * self.count)
        return self._tell(console, results, time.monotonic() - began)

    def _tell(self, console: Console, results: list[dict[str, Any]], seconds: float) -> int:
        right = [r for r in results if r["Status"] == "SUCCEEDED"]
        tasks = {json.loads(execution["Result"])["taskArn"] for execution in right}
        started = len({entry.source for entry in self.system.journal.entries("task")})
        console.print(
            f"{len(right)} of {self.count} executions succeeded, {len(tasks)} tasks of {started} "
            f"started: {self.count / seconds:.1f} executions a second, {seconds:.0f} s in all, "
            f"{self.peak:.0f} MiB at most"
        )
        return 0 if len(right) == len(tasks) == started == self.count else 1

    def _start(self) -> str:
        output = next(flow.output for flow in FLOWS if flow.name == "eventbridge")
        answer = self._lambda.invoke(
            FunctionName=self.system.stack.outputs[output],
            InvocationType="Event",
            Payload=json.dumps(_PAYLOAD),
        )
        return str(answer["DurableExecutionArn"])

    @property
    def _lambda(self) -> Any:  # noqa: ANN401 - boto3's clients have no static type
        return self.system.account.client("lambda")

    def _memory(self) -> float:
        """Return what this process, the functions and the workers hold resident, in MiB."""
        pids = [os.getpid()]
        pids += [pid for function in self.system.functions.values() for pid in function.pids()]
        pids += [task.pid for task in self.system.tasks.all() if task.pid]
        return sum(map(memory, pids)) / 2**20
