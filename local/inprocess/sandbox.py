"""A function on a thread of this process."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from awslambdaric.lambda_context import LambdaContext

from local.clock import Flag
from local.functions.sandbox import Answer, failure
from local.inprocess.identity import KilledError, current, trace_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.clock import Clock
    from local.gateway import Caller


class ThreadSandbox:
    """Calls a handler on a thread; after a kill, its calls to AWS never return.

    Attributes:
        caller: the caller by which its calls are known.
        pid: None, for it has no process of its own.
    """

    pid = None

    def __init__(
        self, name: str, handler: Callable[[Any, Any], Any], caller: Caller, clock: Clock
    ) -> None:
        self._name, self._handler, self._clock = name, handler, clock
        self.caller = caller
        caller.kill = self.kill
        self._answer: Future[Answer] = Future()

    @property
    def is_alive(self) -> bool:
        """Whether it can take another event."""
        return not self.caller.is_dead

    def invoke(self, event: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Run one event to its end, or until the sandbox is killed."""
        answer = self._answer = Future()
        if self.caller.is_dead:
            return _killed()
        context = self._context(headers, timeout)
        work = [event, context, headers.get("Lambda-Runtime-Trace-Id"), answer]
        threading.Thread(target=self._run, args=work, daemon=True).start()
        answered = Flag(self._clock)
        answer.add_done_callback(lambda _: answered.set())
        if answered.wait(timeout):
            return answer.result()
        self.kill()
        return failure("Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")

    def kill(self) -> None:
        """Let none of its later calls reach AWS."""
        self.caller.is_dead = True
        with suppress(InvalidStateError):
            self._answer.set_result(_killed())

    def close(self) -> None:
        """End it at once."""
        self.kill()

    def _run(
        self, event: bytes, context: LambdaContext, trace: str | None, answer: Future[Answer]
    ) -> None:
        current.set(self.caller)
        trace_header.set(trace)
        try:
            result = Answer(json.dumps(self._handler(json.loads(event), context)).encode())
        except KilledError:
            return
        except SystemExit as error:
            result = failure("Runtime.ExitError", f"Runtime exited with error: exit {error}")
        except Exception as error:  # noqa: BLE001 - Lambda answers with any error of a handler
            result = failure(type(error).__name__, str(error))
        with suppress(InvalidStateError):
            answer.set_result(result)

    def _context(self, headers: Mapping[str, str], timeout: float) -> LambdaContext:
        deadline = int((time.time() + timeout) * 1000)
        arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        context = LambdaContext(request_id, None, None, deadline, arn)
        context.function_name = self._name
        return context


def _killed() -> Answer:
    return failure("Runtime.ExitError", "Runtime exited with error: signal 9")
