"""AWS's local runner, put together: it drives executions, their waits and their callbacks."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.child_dispatcher import parse_function_target
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import InvokeResponse, LambdaInvoker
from aws_durable_execution_sdk_python_testing.threads import DaemonThreadPool
from aws_durable_execution_sdk_python_testing.worker.registry import ExecutionRegistry
from typing_extensions import override

from local.durable.children import Children
from local.durable.start import trace_of
from local.durable.time import RunnerClock, RunnerScheduler
from local.functions.configuration import LATEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInput
    from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput

    from local.durable.store import Store
    from local.functions import Function
    from local.surroundings import Surroundings

# A failed execution reports its error itself, so the runner's log is not shown.
logging.getLogger("aws_durable_execution_sdk_python_testing").addHandler(logging.NullHandler())

# Enough threads that invocations waiting for a free process of one function do not block another
# function. A thread is started only when it is needed.
_INVOCATION_THREADS = 256


@contextmanager
def runner(
    functions: Mapping[str, Function], store: Store, surroundings: Surroundings
) -> Iterator[Executor]:
    """Run the runner; at the end it stops, and running executions are abandoned."""
    calendar = surroundings.calendar
    clock, scheduler = RunnerClock(calendar), RunnerScheduler(calendar)
    registry = ExecutionRegistry(store, scheduler)
    processor = CheckpointProcessor(store, scheduler, clock=clock)
    executor = _Executor(
        store=store,
        scheduler=scheduler,
        invoker=_Invoker(functions, store),
        checkpoint_processor=processor,
        registry=registry,
        clock=clock,
        child_dispatcher=Children(functions, surroundings.authority),
        region=surroundings.stack.region,
    )
    executor.use_threads(_INVOCATION_THREADS)
    processor.add_execution_observer(executor)
    with scheduler:
        try:
            yield executor
        finally:
            executor.shutdown()
            registry.shutdown()


class _Executor(Executor):
    """The runner's executor, but with ARNs of AWS's form, and without lost wake-ups.

    If a wait is over just as an invocation ends, the runner cancels the wake-up half-way: the wait
    counts as over, but the function is not invoked.
    """

    def use_threads(self, count: int) -> None:
        """Set the number of handlers, and of functions that they invoke, that run at a time."""
        self._invocation_pool, self._target_pool = DaemonThreadPool(count), DaemonThreadPool(count)

    @override
    def _create_execution(
        self, input: StartDurableExecutionInput, parent_execution_arn: str | None = None
    ) -> Execution:
        execution = Execution("", input, [])
        execution.region, execution.parent_execution_arn = self.region, parent_execution_arn
        execution.durable_execution_arn = (
            f"{execution.function_arn(self.region)}"
            f"/durable-execution/{input.execution_name}/{input.invocation_id}"
        )
        execution.start(now=self._clock.now())
        self._store.save(execution)
        return execution

    @override
    def _fire_due_and_invoke_handler(self, execution_arn: str) -> Callable[[], Awaitable[None]]:
        wake = super()._fire_due_and_invoke_handler(execution_arn)

        async def carried_through() -> None:
            await asyncio.shield(asyncio.ensure_future(wake()))

        return carried_through


class _Invoker(LambdaInvoker):
    """Gives the runner's invocations to the functions' processes, without HTTP."""

    def __init__(self, functions: Mapping[str, Function], store: Store) -> None:
        super().__init__(lambda_client=None)
        self._functions, self._store = functions, store

    @override
    def invoke(
        self,
        function_name: str,
        input: DurableExecutionInvocationInput,
        *_: object,
        **__: object,
    ) -> InvokeResponse:
        """Run the handler once.

        Raises:
            DurableFunctionsTestError: the handler failed; the runner invokes it again.
        """
        target = parse_function_target(function_name)
        event = json.dumps(input.to_json_dict()).encode()
        function, qualifier = self._functions[target.name], target.qualifier or LATEST
        started = self._store.load(input.durable_execution_arn).start_input
        request_id, answer = function.invoke(event, qualifier, trace_of(started.trace_fields))
        if answer.error:
            raise DurableFunctionsTestError(answer.payload.decode())
        return InvokeResponse.from_payload(answer.payload, request_id)
