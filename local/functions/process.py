"""One process of a function: started cold, invoked one event at a time, killed when it hangs."""

from __future__ import annotations

import queue
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from local.functions.runtime_api import Invocation, RuntimeApi
from local.functions.sandbox import Answer, failure
from local.processes import Output, kill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.clock import Clock
    from local.gateway import Caller
    from local.processes import Processes

# Lambda gives initialisation 10 s, but here many processes start at once on few cores.
_INIT_SECONDS = 60
_LOOK_SECONDS = 0.1


class ProcessSandbox:
    """A process that runs awslambdaric, with nothing but the given environment.

    Args:
        environment: all of its variables; `_HANDLER` names the handler.
        caller: see the attributes.
        on_line: takes each line that it prints.
        clock: the clock of its timeouts.
        processes: starts it.

    Attributes:
        caller: the caller by which its calls are known.
        pid: the process's id.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
        clock: Clock,
        processes: Processes,
    ) -> None:
        self.caller, self._clock = caller, clock
        caller.kill = self.kill
        self._api = RuntimeApi()
        self._most_memory = int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) * 2**20
        self._process = processes.start(
            [sys.executable, "-m", "awslambdaric", environment["_HANDLER"]],
            # Python imports from its working directory: the function's code, and not the project.
            Path(environment["LAMBDA_TASK_ROOT"]),
            {**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address},
        )
        self.pid = self._process.pid
        self._api.process.set_result(self.pid)
        self._watcher = threading.Thread(target=self._watch, args=[on_line], daemon=True)
        self._watcher.start()

    @property
    def is_alive(self) -> bool:
        """Whether the process can take another event."""
        return self._process.poll() is None

    def invoke(self, event: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Run one event to its end, or to the end of the process.

        Args:
            event: the event's JSON.
            headers: the Runtime API's headers for the event, without the deadline.
            timeout: the function's timeout, in seconds; the process is killed then.
        """
        invocation = Invocation(event, headers, timeout)
        self._api.invocations.put(invocation)
        if not self._wait_until_taken(invocation):
            # By now there is the process's own error of its failed start, or its exit.
            self.close()
            return self._api.answers.get()
        answer = self._answer(self._clock.passed + timeout)
        if answer:
            return answer
        self.close()
        return failure("Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")

    def kill(self) -> None:
        """Send SIGKILL; `close` waits for the end."""
        kill(self._process)

    def close(self) -> None:
        """End the process at once."""
        self.kill()
        self._watcher.join()

    def _answer(self, deadline: float) -> Answer | None:
        """Wait for the function's answer; return None if there is none in time."""
        while (left := deadline - self._clock.passed) > 0:
            with suppress(queue.Empty):
                return self._api.answers.get(timeout=min(left, _LOOK_SECONDS))
            if memory(self.pid) > self._most_memory:
                self.close()
                killed = "Error: Runtime exited with error: signal: killed"
                return failure("Runtime.OutOfMemory", killed)
        return None

    def _wait_until_taken(self, invocation: Invocation) -> bool:
        deadline = self._clock.passed + _INIT_SECONDS
        while not invocation.taken.wait(0.05):
            if not self.is_alive or self._clock.passed > deadline:
                return False
        return True

    def _watch(self, on_line: Callable[[str], None]) -> None:
        """Pass the log on until the process has ended, then fail its present invocation."""
        output = Output(self._process, on_line)
        code = self._process.wait()
        output.finish()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        self._api.answers.put(failure("Runtime.ExitError", f"Runtime exited with error: {how}"))
        self._api.close()


def memory(pid: int) -> int:
    """Return a process's resident memory, in bytes; 0 if it has ended."""
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
