from __future__ import annotations

import json
from datetime import timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from adapters import clock, networks
from core.network import parse
from core.record import Status
from orchestrator import dynamodb
from tests.integration.attempts import SPOT, SUCCESS, WAITING
from tests.integration.aws import ENVIRONMENT, error, hand, throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

Handler: TypeAlias = "Callable[..., Any]"
PARAMETER = ENVIRONMENT["NETWORK_PARAMETER"]
GONE = error("InvalidParameterException", "The subnet ID 'subnet-0a' does not exist")
EACH_FLOW = pytest.mark.parametrize(
    "handler", [*WAITING.values(), dynamodb.handler], ids=[*WAITING, "dynamodb"]
)


@pytest.fixture
def _every_launch_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No launch knows the network that the one before it was told."""
    monkeypatch.setattr(networks, "KEPT", timedelta())


def held(subnet: str) -> dict[str, Any]:
    """Return GetParameter's answer: a network of one subnet."""
    value = {"subnets": subnet, "securityGroups": "sg-0c", "assignPublicIp": "DISABLED"}
    return {"Parameter": {"Value": json.dumps(value)}}


def hold(aws: Aws, *subnets: str) -> None:
    """Let the parameter hold one subnet after the other, the last for good."""
    left = chain(subnets, repeat(subnets[-1]))
    aws.answer("ssm.GetParameter", lambda **_: held(next(left)))


def subnets(aws: Aws) -> list[str]:
    """Return the subnet of each task, oldest first."""
    interfaces = (task.detail["attachments"][0] for task in aws.ecs.all())
    return [interface["details"][0]["value"] for interface in interfaces]


@EACH_FLOW
def test_launched_into(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """A task is launched into the network that the stack's parameter holds."""
    execution = durable(handler, {})
    attempts.task(1)
    [call] = aws.calls["RunTask"]
    value = hand("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    today = parse(PARAMETER, value)
    assert call["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": list(today.subnets),
        "securityGroups": list(today.security_groups),
        "assignPublicIp": "ENABLED",
    }
    attempts.end(1, SUCCESS)
    execution.result()


def test_kept_for_a_minute(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process asks for the network once a minute, and a change reaches the launches after it."""
    hold(aws, "subnet-0a", "subnet-0b")
    now = clock.now()
    told: list[str] = []
    for seconds in (0, 59, 60, 61):
        monkeypatch.setattr(clock, "now", lambda s=seconds: now + timedelta(seconds=s))
        told += networks.current(PARAMETER).subnets
    assert told == ["subnet-0a", "subnet-0a", "subnet-0b", "subnet-0b"]
    assert len(aws.calls["GetParameter"]) == 2


@pytest.mark.usefixtures("_every_launch_asks")
@pytest.mark.parametrize("handler", WAITING.values(), ids=WAITING)
def test_next_attempt(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """An execution that began before its network changed starts its next attempt in the new one."""
    hold(aws, "subnet-0a", "subnet-0b")
    execution = durable(handler, {})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2
    assert subnets(aws) == ["subnet-0a", "subnet-0b"]


@pytest.mark.usefixtures("_every_launch_asks")
@EACH_FLOW
def test_changed_before_the_answer(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A launch whose answer was lost, and whose network changed then, keeps the task it started."""
    hold(aws, "subnet-0a", "subnet-0b")
    attempts.lose_answers("ecs.RunTask", 1)
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    assert execution.result()["taskArn"] == aws.task().arn
    assert subnets(aws) == ["subnet-0a"]
    asked = [call["networkConfiguration"]["awsvpcConfiguration"] for call in aws.calls["RunTask"]]
    assert [each["subnets"] for each in asked] == [["subnet-0a"], ["subnet-0b"]]
    assert len(attempts.run_task_calls()) == 1


@EACH_FLOW
def test_gone_within_the_minute(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A launch into a subnet that is gone asks for today's network, and starts its task there."""
    hold(aws, "subnet-0a", "subnet-0b")
    aws.answer_with("ecs.RunTask", GONE)
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    assert subnets(aws) == ["subnet-0b"]
    assert len(attempts.run_task_calls()) == 1


def test_gone_for_good(aws: Aws, durable: Start) -> None:
    """A launch into a missing subnet that the parameter still names is refused in ECS's words."""
    hold(aws, "subnet-0a")
    aws.answer_with("ecs.RunTask", GONE)
    _, data = durable(dynamodb.handler, {}).error()
    assert (data["kind"], data["transient"]) == ("FailedToStart", False)
    assert "subnet-0a' does not exist" in data["detail"]
    assert len(aws.calls["RunTask"]) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error("AccessDeniedException", "not yours to read"), "not yours to read"),
        ({"Parameter": {"Value": "subnet-0a"}}, "JSON is malformed"),
    ],
    ids=["forbidden", "no JSON"],
)
def test_gone_and_unreadable(aws: Aws, durable: Start, answer: dict[str, Any], said: str) -> None:
    """A launch that is refused, and cannot read its network then, names ECS's refusal first."""
    aws.answer_with("ssm.GetParameter", held("subnet-0a"), answer)
    aws.answer_with("ecs.RunTask", GONE)
    _, data = durable(dynamodb.handler, {}).error()
    assert (data["kind"], data["transient"]) == ("FailedToStart", False)
    refused, _, unread = data["detail"].partition(" The tasks' network, parameter ")
    assert refused.endswith(
        "(InvalidParameterException) when calling the RunTask operation: The "
        "subnet ID 'subnet-0a' does not exist."
    )
    assert unread.startswith(PARAMETER)
    assert said in unread
    assert len(aws.calls["RunTask"]) == 1


@EACH_FLOW
@pytest.mark.parametrize("times", [1, 4], ids=["once", "for a while"])
def test_throttled(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler, times: int
) -> None:
    """A launch that cannot read its network at once is retried, and starts one task."""
    aws.answer_with("ssm.GetParameter", *throttled(times))
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    assert len(aws.tasks()) == 1


@EACH_FLOW
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error("AccessDeniedException", "not authorized to perform: ssm:GetParameter"), "AccessD"),
        (error("ParameterNotFound", ""), "ParameterNotFound"),
        ({"Parameter": {"Value": "subnet-0a"}}, "JSON is malformed"),
        (held("vpc-0a"), "subnets has 'vpc-0a'"),
    ],
    ids=["forbidden", "gone", "no JSON", "no subnet"],
)
def test_unknown_network(
    aws: Aws, durable: Start, handler: Handler, answer: dict[str, Any], said: str
) -> None:
    """Without a network no task is started, and the error names the parameter and what is wrong."""
    aws.answer_with("ssm.GetParameter", answer)
    message, data = durable(handler, {}).error()
    assert (data["kind"], data["transient"], data["taskArn"]) == ("FailedToStart", False, None)
    assert PARAMETER in data["detail"]
    assert said in data["detail"]
    assert "ssm:GetParameter on it" in message
    assert not aws.tasks()
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)
