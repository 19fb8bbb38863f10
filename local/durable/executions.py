"""Durable executions of all functions in AWS's local runner, with AWS's ARNs and names."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.child_dispatcher import parse_function_target
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import InvokeResponse, LambdaInvoker
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.stores.memory import InMemoryExecutionStore
from aws_durable_execution_sdk_python_testing.threads import DaemonThreadPool
from aws_durable_execution_sdk_python_testing.worker.registry import ExecutionRegistry

from local.durable.time import ScaledClock, ScaledScheduler
from local.functions.configuration import LATEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInput

    from local.functions import Function
    from local.stack import Stack

# That an execution fails is its own news, not this process's.
logging.getLogger("aws_durable_execution_sdk_python_testing").addHandler(logging.NullHandler())

# Invocations wait for a free process of their function, so threads need not be scarce.
_INVOCATION_THREADS = 64
_ARN = (
    "arn:aws:lambda:{region}:{account}:function:{function}:{version}/durable-execution/{name}/{id}"
)

# Where a start carries the ARN to the factory that the runner calls for it.
_CARRIER = "arn"


class AlreadyStartedError(Exception):
    """An execution of that name was started with another payload."""


class Executions:
    """Starts executions; the runner drives them.

    Attributes:
        executor: the runner's own, which its web handlers work on.
    """

    def __init__(self, functions: Mapping[str, Function], stack: Stack, scale: float) -> None:
        self._stack = stack
        self._names: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._lock = threading.Lock()
        self._cleanup = ExitStack()
        clock, scheduler = ScaledClock(scale), ScaledScheduler(scale)
        scheduler.start()  # type: ignore[no-untyped-call]
        self._cleanup.callback(scheduler.stop)
        store = InMemoryExecutionStore()
        registry = ExecutionRegistry(store, scheduler)
        self._cleanup.callback(registry.shutdown)
        processor = CheckpointProcessor(store, scheduler, clock=clock)
        self.executor = Executor(
            store=store,
            scheduler=scheduler,
            invoker=_Invoker(functions),
            checkpoint_processor=processor,
            registry=registry,
            clock=clock,
            region=stack.region,
        )
        self._cleanup.callback(self.executor.shutdown)
        self.executor._invocation_pool = DaemonThreadPool(_INVOCATION_THREADS)  # noqa: SLF001 - its size is no parameter
        processor.add_execution_observer(self.executor)

    def start(self, function: Function, version: str, payload: bytes, name: str | None) -> str:
        """Start an execution, or find the one that has this name already; return its ARN.

        Raises:
            AlreadyStartedError: the name is taken by an execution with another payload.
        """
        configuration = function.configuration
        with self._lock:
            key = (configuration.name, name or str(uuid.uuid4()))
            if key in self._names:
                arn, earlier = self._names[key]
                if json.loads(earlier) != json.loads(payload):
                    raise AlreadyStartedError(f"Execution {name} was started with another payload")
                return arn
            execution_id = str(uuid.uuid4())
            arn = _ARN.format(
                region=self._stack.region,
                account=self._stack.account,
                function=configuration.name,
                version=version,
                name=key[1],
                id=execution_id,
            )
            started = StartDurableExecutionInput(
                account_id=self._stack.account,
                function_name=configuration.name,
                function_qualifier=version,
                execution_name=key[1],
                execution_timeout_seconds=configuration.execution_timeout or 0,
                execution_retention_period_days=1,
                invocation_id=execution_id,
                trace_fields={_CARRIER: arn},
                input=payload.decode(),
            )
            self.executor.start_execution(started)
            self._names[key] = arn, payload
            return arn

    def close(self) -> None:
        """Stop driving executions; those that run are abandoned."""
        self._cleanup.close()


class _Invoker(LambdaInvoker):
    """Gives the runner's invocations to the functions' processes, without a way over HTTP."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        super().__init__(lambda_client=None)
        self._functions = functions

    def invoke(
        self,
        function_name: str,
        input: DurableExecutionInvocationInput,  # noqa: A002 - the base class's name
        *_: Any,  # noqa: ANN401
        **__: Any,  # noqa: ANN401
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


def _with_arn(original: Callable[[StartDurableExecutionInput], Execution]) -> Any:  # noqa: ANN401
    """Stand in for the runner's own factory, whose ARNs are not of AWS's form."""

    def new(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - the replaced method's
        arn = (input.trace_fields or {}).get(_CARRIER)
        return Execution(arn, input, []) if arn else original(input)

    return staticmethod(new)


Execution.new = _with_arn(Execution.new)  # type: ignore[method-assign]
