"""An AWS account as moto plays it, and a hand to move its ECS tasks with."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ecs.models import ecs_backends
from moto.moto_api import state_manager

from adapters.clients import client
from adapters.updates import plain, serialized
from core.record import Record
from ecs_events import task_state
from local.account import Account
from local.gateway.callers import CREDENTIALS
from local.stack.stack import PROJECT, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TEMPLATE = Stack(PROJECT / "template.yaml", "https://sqs", {"WorkerImage": "none"})
REGION, STACK = _TEMPLATE.region, _TEMPLATE.name
ENVIRONMENT = {
    **CREDENTIALS,
    "AWS_DEFAULT_REGION": REGION,
    **{
        name: str(value)
        for function in _TEMPLATE.of_type("AWS::Lambda::Function").values()
        for name, value in function["Environment"]["Variables"].items()
    },
}
CLUSTER, FAMILY = ENVIRONMENT["CLUSTER_ARN"], ENVIRONMENT["TASK_FAMILY"]
DEADLINE = 20
# AWS's descriptions of its services are read once; clients cost more than what they are asked for.
_SESSION = boto3.Session(region_name=REGION)
_ACCOUNT = Account(_TEMPLATE)


@cache
def hand(service: str) -> Any:
    """Return a client whose calls are not the handlers'."""
    return boto3.client(service)


class FunctionContext:
    """The task-state function's Lambda context."""

    function_name = "task-state"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:task-state:live"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left to the invocation."""
        return 30_000


@dataclass
class Aws:
    """The account's state, and what the handlers asked of it.

    Attributes:
        calls: parameters of the calls so far, by operation.
    """

    calls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @classmethod
    def create(cls) -> Aws:
        """Make what the template makes, as far as the handlers see it."""
        boto3.DEFAULT_SESSION = _SESSION
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**9})
        _ACCOUNT.create()
        # moto runs no container without a memory of its own.
        hand("ecs").register_task_definition(
            family=FAMILY,
            containerDefinitions=[{"name": "worker", "image": "worker", "memory": 512}],
        )
        account = cls()
        for service in ("ecs", "dynamodb"):
            client(service).meta.events.register("provide-client-params", account._asked)
            client(service).meta.events.register("after-call", account._answered)
        return account

    def _asked(self, params: dict[str, Any], model: Any, **_: object) -> None:
        self.calls.setdefault(model.name, []).append(params)

    def _answered(self, **_: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition over calls and state holds; return what it gave."""
        with self._changed:
            held = self._changed.wait_for(condition, timeout=DEADLINE)
        assert held, "the condition never held"
        return held

    def tasks(self) -> Mapping[str, Any]:
        """Return moto's own task objects, by ARN."""
        backend = ecs_backends[DEFAULT_ACCOUNT_ID][REGION]
        return {arn: task for tasks in backend.tasks.values() for arn, task in tasks.items()}

    def move(self, status: str, task_arn: str | None = None, **changes: Any) -> None:
        """Move a task (the only one by default) to a status."""
        task = self.tasks()[task_arn or next(iter(self.tasks()))]
        main = task.containers[0]
        main.exitCode = changes.pop("exit_code", main.exitCode)
        main.reason = changes.pop("reason", None)
        for name, value in changes.items():
            setattr(task, name, value)
        task.last_status = status

    def exit(self, code: int, status: str = "STOPPED", **changes: Any) -> None:
        """End a task by its container's exit."""
        self.move(
            status,
            exit_code=code,
            stop_code="EssentialContainerExited",
            stopped_reason="Essential container in task exited",
            **changes,
        )

    def script(self, *steps: Callable[[], None]) -> None:
        """Take one step before each DescribeTasks; none are left, none are taken."""
        remaining: Iterator[Callable[[], None]] = iter(steps)

        def advance(**_: object) -> None:
            next(remaining, lambda: None)()

        client("ecs").meta.events.register("before-call.ecs.DescribeTasks", advance)

    def answer_with(self, operation: str, *bodies: dict[str, Any]) -> None:
        """Answer an operation's (`ecs.RunTask`) next calls with these bodies, without effect.

        A body with `Error` is an error at status 400; botocore does not repeat these calls.
        """
        remaining = iter(bodies)

        def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
            body = next(remaining, None)
            return None if body is None else (_response(400 if "Error" in body else 200), body)

        events = client(operation.partition(".")[0]).meta.events
        events.register(f"before-call.{operation}", answer)

    def lose_answer(self, operation: str) -> None:
        """Let an operation's next call take effect and lose its answer: botocore repeats it."""
        remaining = iter([_response(503)])
        events = client(operation.partition(".")[0]).meta.events
        events.register_first(f"before-send.{operation}", lambda **_: next(remaining, None))

    def before(self, operation: str, hook: Callable[..., Any]) -> None:
        """Run a hook before each of the handlers' calls of an operation (`ecs.RunTask`)."""
        service = operation.partition(".")[0]
        client(service).meta.events.register(f"before-call.{operation}", lambda **_: hook())

    def after(self, operation: str, hook: Callable[..., Any]) -> None:
        """Run a hook after each of the handlers' calls of an operation, before its answer."""
        service = operation.partition(".")[0]
        client(service).meta.events.register(f"after-call.{operation}", lambda **_: hook())

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
        self.wait(lambda: self.records() and condition(self.record()))
        return self.record()

    def event(self, task_arn: str | None = None, version: int = 5) -> dict[str, Any]:
        """Return the event that ECS would send about a task's present state."""
        arn = task_arn or next(iter(self.tasks()))
        answer = hand("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn])
        detail = {**answer["tasks"][0], "version": version}
        return {
            "version": "0",
            "id": f"event-{version}",
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "detail": detail,
        }

    def report(self, version: int = 5) -> dict[str, Any]:
        """Deliver the event of the only task's present state to the task-state function."""
        return self.deliver(self.event(version=version))

    def deliver(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the task-state function."""
        return dict(task_state.handler(event, FunctionContext()))

    def remembered(self) -> int:
        """Count what the idempotency table remembers."""
        return int(hand("dynamodb").scan(TableName=ENVIRONMENT["IDEMPOTENCY_TABLE"])["Count"])

    def forget(self) -> None:
        """Make ECS forget its tasks, as it does an hour after their end."""
        for tasks in ecs_backends[DEFAULT_ACCOUNT_ID][REGION].tasks.values():
            tasks.clear()

    def item(self) -> dict[str, Any]:
        """Return the only record's attributes as plain values."""
        items = hand("dynamodb").scan(TableName=ENVIRONMENT["TABLE_NAME"])["Items"]
        assert len(items) == 1, items
        return plain(items[0])

    def record(self) -> Record:
        """Return the only record."""
        return Record.from_item(self.item())

    def records(self) -> int:
        """Count the records."""
        return int(hand("dynamodb").scan(TableName=ENVIRONMENT["TABLE_NAME"])["Count"])


def error(code: str, message: str = "no", **extra: Any) -> dict[str, Any]:
    """Body of an AWS error."""
    return {"Error": {"Code": code, "Message": message}, **extra}


def throttled(times: int) -> list[dict[str, Any]]:
    """Bodies of throttling errors."""
    return [error("ThrottlingException", "Rate exceeded")] * times


def _response(status: int) -> AWSResponse:
    class Raw:
        def stream(self, **_: object) -> Iterator[bytes]:
            yield b"{}"

    return AWSResponse("http://127.0.0.1", status, {}, Raw())
