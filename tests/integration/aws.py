"""An AWS account: moto's tables and logs, the local system's ECS, whose tasks a test moves."""

from __future__ import annotations

import re
import threading
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain, count, repeat
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from adapters import clients, clock, networks
from adapters.clients import client
from adapters.settings import Settings
from adapters.updates import plain, serialized
from core.record import Record
from ecs_events import task_state
from local.account import Account
from local.ecs import EcsApi, Tasks
from local.ecs.detail import event
from local.ecs.state import TaskState
from local.exits import TERMINATED
from local.gateway import Callers, Gateway
from local.inprocess import Transport
from local.journal import Journal
from local.stack.stack import PROJECT, Stack
from tests.values import job
from tests.waiting import until
from worker import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from botocore.awsrequest import AWSPreparedRequest

TEMPLATE = Stack(PROJECT / "template.yaml", "https://sqs", {"WorkerImage": "none"})
REGION, STACK = TEMPLATE.region, TEMPLATE.name
# Where the local system's parts answer the handlers, without a socket.
ENDPOINT = "http://aws.invalid"
# moto takes any credentials.
_PERSON = Callers().person
ENVIRONMENT = {
    **_PERSON.credentials,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ENDPOINT_URL_ECS": ENDPOINT,
    "AWS_ENDPOINT_URL_LAMBDA": ENDPOINT,
    **{
        name: str(value)
        for function in TEMPLATE.of_type("AWS::Lambda::Function").values()
        for name, value in function["Environment"]["Variables"].items()
    },
}
CLUSTER, FAMILY = ENVIRONMENT["CLUSTER_ARN"], ENVIRONMENT["TASK_FAMILY"]
JOB = job(family=FAMILY, container=ENVIRONMENT["CONTAINER_NAME"])
# AWS's descriptions of its services are read once; clients cost more than what they are asked for.
_TRANSPORT = Transport(REGION)
_ACCOUNT = Account(TEMPLATE, _PERSON)
_CACHES = (clients.client, Settings.load, task_state._once, report._table)  # noqa: SLF001 - a new account, new clients
_ALONE, _PROCESS = threading.RLock(), BotocoreStubber.process_request


@cache
def hand(service: str) -> Any:
    """Return a client whose calls are not the handlers'."""
    return boto3.client(service)


class DiedError(BaseException):
    """The function is gone; no code of its own may catch this."""


def die() -> None:
    """End the function that calls."""
    raise DiedError


def function_context(*times: int) -> Any:
    """Return a Lambda context, of which the function has so many milliseconds left at each look."""
    left = chain(times, repeat([30_000, *times][-1]))
    return SimpleNamespace(
        function_name="task-state",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:task-state:live",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: next(left),
    )


class Time:
    """ECS's time, which is the handlers'."""

    @property
    def passed(self) -> float:
        """Seconds since some moment."""
        return self.now().timestamp()

    def now(self) -> datetime:
        """Return the present moment."""
        return clock.now()


class PromptTask(TaskState):
    """A task that a test moves; once it is asked to stop, it has stopped."""

    def stop(self, reason: str) -> None:
        """Stop, as a worker does that ends itself on SIGTERM."""
        if not self.shows({"desiredStatus": "RUNNING"}):
            return
        super().stop(reason)
        if self.status == "RUNNING":
            self.exit(TERMINATED)
        self.advance("STOPPED")

    def come_to(self, told: Mapping[str, Any]) -> None:
        """Come to the end of another task as ECS has told of it, with its other containers."""
        if "startedAt" in told:
            self.advance("RUNNING")
        self.end(told.get("stopCode"), told["stoppedReason"])
        own = {container["name"]: container for container in self._detail["containers"]}
        for container in told["containers"]:
            own.setdefault(container["name"], {}).update(container)
        self._detail["containers"] = list(own.values())


@contextmanager
def account() -> Iterator[None]:
    """Provide what the template makes, as far as moto plays it."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(boto3, "DEFAULT_SESSION", _TRANSPORT.session)
        patch.setattr(BotocoreStubber, "process_request", _process_alone)
        _ACCOUNT.create()
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        for cached in _CACHES:
            cached.cache_clear()
        yield


def _process_alone(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    """Make each of moto's answers atomic, as AWS's are: it is asked by several threads."""
    with _ALONE:
        return _PROCESS(stubber, request)


@contextmanager
def emptied() -> Iterator[Aws]:
    """Provide the account without records and tasks, and clients at which no hook is left."""
    for name in ("TABLE_NAME", "IDEMPOTENCY_TABLE"):
        _table(name).items.clear()
    Settings.load.cache_clear()
    networks.forget()
    aws = Aws()
    with aws.hooks, _TRANSPORT.reaching(ENDPOINT, aws.gateway):
        yield aws


def _table(name: str) -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[ENVIRONMENT[name]]


def _task(detail: dict[str, Any], definition: Mapping[str, Any]) -> PromptTask:
    return PromptTask(detail, definition["ContainerDefinitions"][0]["Name"], Time())


class Aws:
    """The account's state, and what the handlers asked of it.

    Attributes:
        calls: parameters of the calls so far, by operation.
        ecs: its tasks.
        hooks: that are taken off at the end.
        gateway: what answers the handlers for ECS and for Lambda.
    """

    def __init__(self) -> None:
        self.calls: dict[str, list[dict[str, Any]]] = {}
        self.ecs = Tasks(TEMPLATE, Time(), _task)
        self.gateway = Gateway(Journal().write)
        self.gateway.services["ecs"] = EcsApi(self.ecs)
        self._changed = threading.Condition()
        self.hooks = ExitStack()
        for service in ("ecs", "dynamodb", "ssm", "s3"):
            self.on("provide-client-params", service, self._asked)
            self.on("after-call", service, self._answered)

    def on(
        self, moment: str, operation: str, hook: Callable[..., Any], *, first: bool = False
    ) -> None:
        """Hang a hook of botocore's (`before-call`) at an operation, or at a service's all."""
        events, name = client(operation.partition(".")[0]).meta.events, f"{moment}.{operation}"
        (events.register_first if first else events.register)(name, hook)
        self.hooks.callback(events.unregister, name, hook)

    def _asked(self, params: dict[str, Any], model: Any, **_: object) -> None:
        self.calls.setdefault(model.name, []).append(params)

    def _answered(self, **_: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition over calls and state holds; return what it gave."""
        with self._changed:
            return until(condition, self._changed.wait_for)

    def tasks(self) -> list[str]:
        """Return the ARNs of the tasks that ECS knows, oldest first."""
        return [task.arn for task in self.ecs.all()]

    def task(self, arn: str | None = None) -> PromptTask:
        """Return a task, the only one by default."""
        task = self.ecs.get(arn) if arn else next(iter(self.ecs.all()), None)
        assert task, f"ECS does not know {arn or 'any task'}"
        return task

    def exit(self, code: int, arn: str | None = None, status: str = "STOPPED") -> None:
        """End a task by its container's exit."""
        task = self.task(arn)
        task.advance("RUNNING")
        task.exit(code)
        task.advance(status)

    def refuse(self, *reasons: str) -> None:
        """Let ECS refuse the next launches, for these reasons."""
        self.ecs.refusals.extend({"reason": reason} for reason in reasons)

    def run_task(self, started_by: str | None = None, family: str = FAMILY) -> str:
        """Start a task as somebody else; return its ARN."""
        asked = {"cluster": CLUSTER, "taskDefinition": family, "startedBy": started_by}
        [task] = self.ecs.run(asked).tasks
        return task.arn

    def forget(self, arn: str | None = None) -> None:
        """Let ECS forget a task, as it does an hour after its end."""
        self.ecs.forget(self.task(arn))

    def script(self, *steps: Callable[[], None]) -> None:
        """Take one step before each DescribeTasks; none are left, none are taken."""
        left = iter(steps)
        self.on("before-call", "ecs.DescribeTasks", lambda **_: next(left, lambda: None)())

    def answer_with(self, operation: str, *bodies: dict[str, Any]) -> None:
        """Answer an operation's (`ecs.RunTask`) next calls with these bodies, without effect.

        A body with `Error` is an error at status 400; botocore does not repeat these calls.
        """
        left = iter(bodies)
        self.answer(operation, lambda **_: next(left, None))

    def answer(self, operation: str, answer: Callable[..., dict[str, Any] | None]) -> None:
        """Answer an operation's calls with a body by model and parameters; None lets one go on."""
        self.on("before-call", operation, lambda **asked: reply(answer(**asked)))

    def at(
        self,
        operation: str,
        hook: Callable[[], object],
        *numbers: int,
        after: bool = False,
        spare: threading.Thread | None = None,
    ) -> None:
        """Let something happen right before or after the n-th calls of an operation, or all.

        The calls of the thread that is spared do not count.
        """
        calls = count(1)

        def called(**_: object) -> None:
            if threading.current_thread() is not spare and (not numbers or next(calls) in numbers):
                hook()

        # An answer that a test has prepared would keep the call from what comes after it.
        self.on("after-call" if after else "before-call", operation, called, first=not after)

    def rewrite(self, update: str, **values: object) -> None:
        """Change the only record as another writer would; `#name` stands for any attribute."""
        names = {word: word[1:] for word in re.findall(r"#\w+", update)}
        hand("dynamodb").update_item(
            TableName=ENVIRONMENT["TABLE_NAME"],
            Key={"executionId": {"S": self.item()["executionId"]}},
            UpdateExpression=update,
            **({"ExpressionAttributeNames": names} if names else {}),
            ExpressionAttributeValues=serialized({f":{n}": v for n, v in values.items()}),
        )

    def wait_for_record(self, condition: Callable[[Record], Any]) -> Record:
        """Wait until the only record meets a condition."""
        self.wait(lambda: self.items() and condition(self.record()))
        return self.record()

    def event(self, arn: str | None = None) -> dict[str, Any]:
        """Return the event that ECS would send about a task's present state."""
        return event(self.task(arn).detail, TEMPLATE)

    def report(self, arn: str | None = None) -> dict[str, Any]:
        """Deliver the event of a task's present state to the task-state function."""
        return self.deliver(self.event(arn))

    def deliver(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the task-state function."""
        return dict(task_state.handler(event, function_context()))

    def remembered(self) -> int:
        """Count what the idempotency table remembers."""
        return len(_table("IDEMPOTENCY_TABLE").items)

    def items(self) -> list[dict[str, Any]]:
        """Return the records' attributes as plain values."""
        with _ALONE:
            stored = [item.to_json()["Attributes"] for item in _table("TABLE_NAME").all_items()]
        return [plain(attributes) for attributes in stored]

    def stored(self, execution_id: str) -> dict[str, Any]:
        """Return an item's attributes as plain values, without a call: calls take their time."""
        with _ALONE:
            stored = _table("TABLE_NAME").get_item(DynamoType({"S": execution_id}))
            return plain(stored.to_json()["Attributes"])

    def item(self) -> dict[str, Any]:
        """Return the only record's attributes."""
        [item] = self.items()
        return item

    def record(self) -> Record:
        """Return the only record."""
        return Record.from_item(self.item(), ENVIRONMENT["DATA_BUCKET"])


def error(code: str, message: str = "no", **extra: Any) -> dict[str, Any]:
    """Body of an AWS error."""
    return {"Error": {"Code": code, "Message": message}, **extra}


def reply(body: dict[str, Any] | None) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Return what stands in for an answer of AWS, if there is one."""
    if body is None:
        return None
    status = 400 if "Code" in body.get("Error", {}) else 200
    return AWSResponse(ENDPOINT, status, {}, None), body


def throttled(times: int) -> list[dict[str, Any]]:
    """Bodies of throttling errors."""
    return [error("ThrottlingException", "Rate exceeded")] * times
