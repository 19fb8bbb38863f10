from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.errors import UnsupportedError
from local.iam import Access, decide, of_resources, place_of, roles_of
from local.stack import Stack
from local.stack.stack import PROJECT
from tests.template import source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack of template.yaml."""
    return Stack(PROJECT / "template.yaml", "http://127.0.0.1")


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., Stack]:
    """Return the stack that resources make, each a type with its properties."""

    def made(**resources: tuple[str, dict[str, Any]]) -> Stack:
        written = {k: {"Type": kind, "Properties": p} for k, (kind, p) in resources.items()}
        template = tmp_path / "template.yaml"
        template.write_text(json.dumps({"Resources": written}))
        return Stack(template, "http://127.0.0.1")

    return made


def role(**properties: Any) -> tuple[str, dict[str, Any]]:
    """A role that Lambda may take."""
    return "AWS::IAM::Role", {"AssumeRolePolicyDocument": TRUST, **properties}


def test_every_role_is_read(stack: Stack) -> None:
    """Each role of the template has rules of its own and can be taken by one service."""
    roles = roles_of(stack)
    assert set(roles) == {k for k in source()["Resources"] if k.endswith("Role")}
    for found in roles.values():
        assert found.rules
        assert [rule.action for rule in found.trust] == ["sts:AssumeRole"]
        assert [rule.resource for rule in found.trust] == [found.arn]


def test_shared_policies(stack: Stack) -> None:
    """A role may do what its own policies and the managed ones of the template allow."""
    rules = roles_of(stack)["SyncRole"].rules
    places = {rule.place.partition(",")[0] for rule in rules}
    assert places == {"SyncRole", "TracingPolicy", "OrchestratorPolicy"}


def test_passed_roles(stack: Stack) -> None:
    """A task definition passes its two roles."""
    [passed] = place_of(stack).passed.values()
    assert passed == (stack.arn("TaskRole"), stack.arn("TaskExecutionRole"))


def test_permission_of_a_rule(stack: Stack) -> None:
    """A rule of the template may invoke its target, and no other rule may."""
    rules = of_resources(stack)
    [function] = [arn for arn in rules if arn.endswith("task-state-function:live")]
    for rule, expected in (("TaskStateFunctionTaskStateChange", True), ("Another", False)):
        source_arn = f"arn:aws:events:us-east-1:123456789012:rule/{stack.name}-{rule}"
        access = Access("lambda:InvokeFunction", function, {"aws:sourcearn": (source_arn,)})
        assert decide(rules[function], access).is_allowed is expected


def test_policy_of_aws(deploy: Callable[..., Stack]) -> None:
    """A role that SAM makes may do what AWS's own policies allow."""
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicDurableExecutionRolePolicy"
    [found] = roles_of(deploy(Made=role(ManagedPolicyArns=[arn]))).values()
    access = Access("lambda:CheckpointDurableExecution", "arn:aws:lambda:r:a:function:f:1")
    assert decide(found.rules, access).is_allowed


def test_role_that_sam_makes(deploy: Callable[..., Stack]) -> None:
    """A function without a role gets one with SAM's policies: what these name, and nothing else."""
    function = {
        "CodeUri": "src/",
        "Handler": "mine.handler",
        "Runtime": "python3.13",
        "Policies": [{"DynamoDBReadPolicy": {"TableName": {"Ref": "Orders"}}}],
    }
    orders = ("AWS::DynamoDB::Table", {"TableName": "orders"})
    made = deploy(Orders=orders, Mine=("AWS::Serverless::Function", function))
    [role] = roles_of(made).values()
    table = made.arn("Orders")
    asked = [Access(f"dynamodb:{name}Item", table) for name in ("Get", "Put")]
    asked.append(Access("dynamodb:GetItem", f"{table}2"))
    assert [decide(role.rules, access).is_allowed for access in asked] == [True, False, False]


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (role(PermissionsBoundary="x"), "Made: PermissionsBoundary is not known here"),
        (role(ManagedPolicyArns=["arn:aws:iam::1:policy/x"]), "Made: the policy arn:aws:iam::1"),
        (("AWS::IAM::Policy", {}), "Made: AWS::IAM::Policy is not known here"),
        (
            role(Policies=[{"PolicyName": "p", "PolicyDocument": {"Version": "2020-01-01"}}]),
            "Made, policy p: the Version '2020-01-01' is not known here",
        ),
        (
            role(AssumeRolePolicyDocument={**TRUST, "Statement": {"Effect": "Allow"}}),
            "Made, AssumeRolePolicyDocument, statement 1: Action, Principal is missing",
        ),
    ],
)
def test_unknown_policies(
    deploy: Callable[..., Stack], resource: tuple[str, dict[str, Any]], said: str
) -> None:
    """A template that grants in a way that is not known is refused, and its place is named."""
    with pytest.raises(UnsupportedError, match=said):
        roles_of(deploy(Made=resource))


def test_unknown_permissions(deploy: Callable[..., Stack]) -> None:
    """A permission with an element that is not known is refused, and its place is named."""
    permission = {"FunctionName": "f", "Principal": "s3.amazonaws.com", "EventSourceToken": "x"}
    stack = deploy(Made=("AWS::Lambda::Permission", permission))
    with pytest.raises(UnsupportedError, match="Made: EventSourceToken is not known here"):
        of_resources(stack)
