"""The handlers in process, against moto and the durable functions test runner."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from aws_durable_execution_sdk_python import state
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

from adapters import metrics, telemetry
from local.durable import DurableApi
from tests.integration.attempts import Attempts
from tests.integration.aws import Aws, account, emptied
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestResult

    from core.record import Record

Lines: TypeAlias = pytest.LogCaptureFixture
Counted: TypeAlias = "list[dict[str, Any]]"


@pytest.fixture(scope="module")
def _account() -> Iterator[None]:
    with account(), pytest.MonkeyPatch.context() as patch:
        # The seconds between two looks whether to stop: every invocation waits for one.
        patch.setattr(state, "_STOP_SIGNAL_POLL_SECONDS", 0.005)
        yield


@pytest.fixture
def aws(_account: None) -> Iterator[Aws]:
    """An account with the stack's tables and cluster."""
    with emptied() as aws:
        yield aws


@pytest.fixture
def attempts(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempts]:
    """The attempts of the test's execution, of which no two ever have a task at the same time."""
    # A function that died is invoked again at once.
    monkeypatch.setattr(Executor, "RETRY_BACKOFF_SECONDS", 0)
    watched = Attempts(aws)
    yield watched
    assert not watched.together


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    """The lines that the functions log during the test, as a user reads them in CloudWatch."""
    with caplog.filtering(logging.Filter(telemetry.logger.name)):
        yield caplog


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The metrics' lines that the functions write during the test."""
    written: Counted = []
    monkeypatch.setattr(metrics, "write", lambda line: written.append(json.loads(line)))
    return written


def values(counted: Counted, name: str, **dimensions: str) -> list[float]:
    """Return a metric's values in their order, of all or of these dimensions."""
    alike = (line for line in counted if dimensions.items() <= line.items())
    return [value for line in alike for value in line.get(name, [])]


class Durable:
    """One execution of a durable handler in the test runner.

    Attributes:
        arn: the execution's ARN.
    """

    def __init__(self, runner: DurableFunctionTestRunner, payload: object) -> None:
        self.runner = runner
        self.arn = runner.run_async(json.dumps(payload))

    def result(self) -> dict[str, Any]:
        """Wait for the end and return the result of a success."""
        assert self.ended.error is None, self.ended.error
        return dict(json.loads(self.ended.result or "null"))

    def error(self) -> tuple[str, dict[str, Any]]:
        """Wait for the end and return message and data of a failure."""
        error = self.ended.error
        assert error is not None
        return error.message or "", json.loads(error.data or "null")

    def time_out(self, record: Record) -> None:
        """Let the time be over for which the execution waits for its callback, if it has one."""
        executor = self.runner._executor  # noqa: SLF001 - its timers know no clock that skips
        if record.callback_id:
            executor._on_callback_timeout(self.arn, record.callback_id)  # noqa: SLF001 - as above

    @cached_property
    def ended(self) -> DurableFunctionTestResult:
        """The end, waited for."""
        return self.runner.wait_for_result(self.arn, timeout=PATIENCE)


Start: TypeAlias = "Callable[[Callable[..., Any], object], Durable]"


@pytest.fixture
def durable(aws: Aws) -> Iterator[Start]:
    """Start an execution; its callbacks can be answered through boto3."""
    with ExitStack() as cleanup:

        def start(handler: Callable[..., Any], payload: object) -> Durable:
            runner = cleanup.enter_context(DurableFunctionTestRunner(handler))
            executions: Any = SimpleNamespace(executor=runner._executor)  # noqa: SLF001 - the runner offers no way to lay an API over it
            api = DurableApi(executions)
            aws.gateway.services["lambda"] = lambda request, _: api(request)
            return Durable(runner, payload)

        yield start
