"""Durable executions of all functions: started once under each name, and followed to their end."""

from __future__ import annotations

import json
import threading
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from http import HTTPStatus
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus

from local.durable import function_error, status
from local.durable.runner import runner
from local.durable.start import start_of
from local.durable.store import FAILED, Store, status_of
from local.errors import ApiError
from local.functions import Answer
from local.iam.authority import DeniedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_durable_execution_sdk_python_testing.execution import Execution
    from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput

    from local.account import Send
    from local.functions import Function
    from local.surroundings import Surroundings
    from local.xray import Trace


class Executions:
    """Starts executions; the runner drives them.

    Each change of an execution's status is published. A failed execution leaves a letter in its
    function's dead-letter queue.

    Attributes:
        executor: the runner's own, which its web handlers work on.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        surroundings: Surroundings,
        publish: Callable[[dict[str, Any]], None],
        send: Send,
    ) -> None:
        self._functions, self._stack = functions, surroundings.stack
        self._publish, self._send = publish, send
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._synchronous: set[str | None] = set()
        self._lock = threading.Lock()
        self._cleanup = ExitStack()
        self._store = Store(self._changed, surroundings.calendar.now)
        self.executor = self._cleanup.enter_context(runner(functions, self._store, surroundings))

    def begin(self, function: Function, version: str, payload: bytes, trace: Trace) -> str:
        """Start an execution with a name of its own and no waiting caller; return its ARN."""
        return self.start(start_of(function.configuration, version, payload.decode(), trace))

    def start(self, started: StartDurableExecutionInput, *, synchronous: bool = False) -> str:
        """Start an execution, or find the one that has this name already; return its ARN.

        Args:
            started: the start that `start_of` has made of a durable function's invocation.
            synchronous: whether the caller waits for the end, and so learns of a failure.

        Raises:
            ApiError: the name is taken by an execution with another payload.
        """
        payload = started.input or "{}"
        with self._lock:
            for old in list(takewhile(self._is_forgotten, self._names)):
                del self._names[old]
            key = (started.function_name, started.execution_name)
            if key in self._names and not self._is_forgotten(key):
                arn, earlier = self._names[key]
                if json.loads(earlier) != json.loads(payload):
                    raise _already_started(key[1])
                return arn
            if synchronous:
                self._synchronous.add(started.invocation_id)
            arn = str(self.executor.start_execution(started).execution_arn)
            self._names[key] = arn, payload
            return arn

    def _is_forgotten(self, key: tuple[str, str]) -> bool:
        return self._names[key][0] not in self._store

    def outcome(self, arn: str) -> Answer:
        """Wait for an execution's end and return its result or its error.

        Raises:
            ConnectionResetError: the system is stopping.
        """
        try:
            self.executor.wait_until_complete(arn)
        except CancelledError as error:
            raise ConnectionResetError from error
        result = self._store.load(arn).result
        if result is None or result.error is None:
            return Answer(((result and result.result) or "null").encode())
        return Answer(function_error.written(result.error), "Unhandled")

    def all(self) -> list[Execution]:
        """Return all executions."""
        return self._store.list_all()

    def count_running(self) -> int:
        """Return the number of executions that run now."""
        return sum(status_of(one) is ExecutionStatus.RUNNING for one in self.all())

    def close(self) -> None:
        """Stop driving executions; running ones are abandoned."""
        self._cleanup.close()

    def _changed(self, execution: Execution) -> None:
        self._publish(status.event(execution, self._stack))
        if status_of(execution) is ExecutionStatus.RUNNING:
            return
        is_told = self._is_told(execution)
        self._synchronous.discard(execution.start_input.invocation_id)
        if status_of(execution) not in FAILED or is_told:
            return
        function = self._functions[execution.start_input.function_name]
        queue = function.configuration.properties.get("DeadLetterConfig")
        if queue:
            payload, attributes = status.dead_letter(execution)
            # A letter is lost if the function's role may not send it.
            with suppress(DeniedError):
                sender = function.configuration.session
                self._send(sender, queue["TargetArn"], payload, **attributes)

    def _is_told(self, execution: Execution) -> bool:
        """Whether a caller or a parent waits for an execution, and so learns of its failure."""
        execution_id = execution.start_input.invocation_id
        return execution.parent_execution_arn is not None or execution_id in self._synchronous


def _already_started(name: str) -> ApiError:
    message = f"Execution {name} was started with another payload"
    return ApiError("DurableExecutionAlreadyStartedException", message, HTTPStatus.CONFLICT)
