"""The handlers in process, against moto and the durable functions test runner."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.web.server import (
    RequestHandler,
    WebServer,
    WebServiceConfig,
)
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from adapters import clients, settings, telemetry
from ecs_events import task_state
from tests.integration.attempts import Attempts
from tests.integration.aws import ENVIRONMENT, Aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestResult
    from aws_durable_execution_sdk_python_testing.web.models import HTTPResponse
    from botocore.awsrequest import AWSPreparedRequest


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An account with the stack's cluster, task definition and tables."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for cached in (clients.client, settings.read, task_state._once):  # noqa: SLF001 - a new account, new clients
        cached.cache_clear()
    _answer_one_at_a_time(monkeypatch)
    with mock_aws():
        yield Aws.create()


def _answer_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each of moto's answers atomic, as AWS's are: it is asked by several threads."""
    lock, process = threading.RLock(), BotocoreStubber.process_request

    def process_alone(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:
        with lock:
            return process(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_alone)


@pytest.fixture
def attempts(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempts]:
    """The attempts of the test's execution, of which no two ever have a task at the same time."""
    watched = Attempts(aws)
    watched.watch(monkeypatch)
    yield watched
    assert not watched.together


class Lines(logging.Handler):
    """The log lines of a test: what a user reads in CloudWatch, as records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        """The lines' texts in order."""
        return [record.getMessage() for record in self.records]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the functions log during the test."""
    handler = Lines()
    logger = logging.getLogger(telemetry.logger.name)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


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

    @cached_property
    def ended(self) -> DurableFunctionTestResult:
        """The end, waited for."""
        return self.runner.wait_for_result(self.arn, timeout=30)

    def operations(self) -> int:
        """Count the durable operations, the execution itself included."""
        return len(self.ended.get_all_operations()) + 1


Start: TypeAlias = "Callable[[Callable[..., Any], object], Durable]"


@pytest.fixture
def durable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:  # noqa: ARG001 - order
    """Start an execution; its callbacks can be answered through boto3."""
    with ExitStack() as cleanup:

        def start(handler: Callable[..., Any], payload: object) -> Durable:
            runner = cleanup.enter_context(DurableFunctionTestRunner(handler))
            port = cleanup.enter_context(_serving(runner))
            monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{port}")
            return Durable(runner, payload)

        yield start


class TypedErrors(RequestHandler):
    """The runner's HTTP face with errors that botocore can tell apart, as AWS's are."""

    def _send_response(self, response: HTTPResponse) -> None:
        if isinstance(response.body, dict) and "Type" in response.body:
            response.headers["x-amzn-ErrorType"] = response.body["Type"]
        super()._send_response(response)


@contextmanager
def _serving(runner: DurableFunctionTestRunner) -> Iterator[int]:
    executor = runner._executor  # noqa: SLF001 - the runner offers no way to lay a server over it
    config = WebServiceConfig(host="127.0.0.1", port=0, log_level=logging.WARNING)
    with WebServer(config, executor) as server:
        server.RequestHandlerClass = TypedErrors
        # The seconds between two looks whether to stop: every test waits for one.
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
