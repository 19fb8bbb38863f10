"""AWS's local runner, put together: it drives executions, their waits and their callbacks."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.child_dispatcher import parse_function_target
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import InvokeResponse, LambdaInvoker
from aws_durable_execution_sdk_python_testing.model import Event, StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.threads import DaemonThreadPool
from aws_durable_execution_sdk_python_testing.worker.registry import ExecutionRegistry
from typing_extensions import override

from local.durable.time import RunnerClock, RunnerScheduler
from local.functions.configuration import LATEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInput

    from local.clock import Clock
    from local.durable.store import Store
    from local.functions import Function

# That an execution fails is its own news, not this process's.
logging.getLogger("aws_durable_execution_sdk_python_testing").addHandler(logging.NullHandler())

# Invocations wait for a free process of their function, so threads need not be scarce.
_INVOCATION_THREADS = 64

# Where a start carries the execution's ARN to the factory that the runner calls for it.
ARN = "arn"


@contextmanager
def runner(
    functions: Mapping[str, Function], store: Store, region: str, calendar: Clock
) -> Iterator[Executor]:
    """Run the runner; at the end it stops, and executions that run are abandoned."""
    clock, scheduler = RunnerClock(calendar), RunnerScheduler(calendar)
    registry = ExecutionRegistry(store, scheduler)
    processor = CheckpointProcessor(store, scheduler, clock=clock)
    executor = _Executor(
        store=store,
        scheduler=scheduler,
        invoker=_Invoker(functions),
        checkpoint_processor=processor,
        registry=registry,
        clock=clock,
        region=region,
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
    """The runner's, in which a wake-up that has begun is carried through.

    When a wait is over just as an invocation ends, the runner cancels the wake-up in the middle:
    the wait counts as over then, and nobody is invoked.
    """

    def use_threads(self, count: int) -> None:
        """Invoke as many handlers at a time."""
        self._invocation_pool = DaemonThreadPool(count)

    def _fire_due_and_invoke_handler(self, execution_arn: str) -> Callable[[], Awaitable[None]]:
        wake = super()._fire_due_and_invoke_handler(execution_arn)

        async def carried_through() -> None:
            await asyncio.shield(asyncio.ensure_future(wake()))

        return carried_through


class _Invoker(LambdaInvoker):
    """Gives the runner's invocations to the functions' processes, without a way over HTTP."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        super().__init__(lambda_client=None)
        self._functions = functions

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
            DurableFunctionsTestError: it failed; the runner invokes it again.
        """
        target = parse_function_target(function_name)
        event = json.dumps(input.to_json_dict()).encode()
        request_id, answer = self._functions[target.name].invoke(event, target.qualifier or LATEST)
        if answer.error:
            raise DurableFunctionsTestError(answer.payload.decode())
        return InvokeResponse.from_payload(answer.payload, request_id)


_new = Execution.new


def _with_arn(**given: StartDurableExecutionInput) -> Execution:
    """Stand in for the runner's own factory, whose ARNs are not of AWS's form."""
    arn = (given["input"].trace_fields or {}).get(ARN)
    return Execution(arn, given["input"], []) if arn else _new(**given)


def _numbered(event: Event, event_id: int) -> Event:
    """Stand in for the runner's own copying, which forgets some of the details."""
    return dataclasses.replace(event, event_id=event_id)


# The runner takes neither from outside. For good: systems come and go in any order.
mock.patch.object(Execution, "new", staticmethod(_with_arn)).start()
mock.patch.object(Event, "from_event_with_id", staticmethod(_numbered)).start()
