"""The floor: moto's own stand-in and the SDK's own local runner, without anything of ours."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.threads import DaemonThreadPool
from moto import mock_aws

from bench.measurement import Measurement, measure
from local.account import Account
from local.gateway import Callers
from local.stack import Stack
from local.stack.stack import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from botocore.client import BaseClient

    from bench.requests import MotoRequest, Requests

_THREADS = 16
_LONGEST = 600
_ORCHESTRATOR = "eventbridge-function"


class _Flow:
    """A durable function that repeats recorded requests: its own in a step, the others later."""

    def __init__(self, client: BaseClient, recorded: Sequence[Requests]) -> None:
        self._client, self._recorded = client, itertools.cycle(recorded)
        self._others = ThreadPoolExecutor(_THREADS)
        self._requests = 0
        self.runner = DurableFunctionTestRunner(
            durable_execution(self._handle), skip_time=False, execution_timeout=_LONGEST
        )
        # The runner's default pool is too small for its best rate.
        pool = DaemonThreadPool(_THREADS)
        self.runner._executor._invocation_pool = pool  # noqa: SLF001 - no parameter

    def run(self, count: int) -> int:
        """Run executions to their end, and return the number of requests."""
        before = self._requests
        arns = [self.runner.run_async(input="{}") for _ in range(count)]
        for arn in arns:
            self.runner.wait_for_result(arn, _LONGEST)
        return self._requests - before

    def _handle(self, _event: object, context: DurableContext) -> str | None:
        callback = context.create_callback("task-end")
        context.step(partial(self._launch, callback.callback_id), "launch-task")
        return callback.result()

    def _launch(self, callback_id: str, _context: object) -> None:
        own: list[MotoRequest] = []
        others: list[MotoRequest] = []
        for request in next(self._recorded).anew():
            (own if request.caller.endswith(_ORCHESTRATOR) else others).append(request)
        self._make(own)
        self._others.submit(self._end, callback_id, others)

    def _end(self, callback_id: str, requests: Sequence[MotoRequest]) -> None:
        self._make(requests)
        self.runner.send_callback_success(callback_id, b'"done"')

    def _make(self, requests: Iterable[MotoRequest]) -> None:
        for request in requests:
            self._requests += 1
            # With executions side by side, the system gets some refusals too.
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client._make_api_call(  # noqa: SLF001 - an operation by its name
                    request.operation, json.loads(request.parameters)
                )


def run(recorded: Sequence[Requests], counts: Sequence[int]) -> list[Measurement]:
    """Run executions with the same requests to moto, for each count so many at once."""
    with mock_aws():
        stack = Stack(PROJECT / "template.yaml", "http://127.0.0.1", {"WorkerImage": "local"})
        account = Account(stack, Callers().person)
        account.create()
        flow = _Flow(account.client("dynamodb"), recorded)
        with flow.runner:
            flow.run(1)
            return [measure(count, partial(flow.run, count)) for count in counts]
