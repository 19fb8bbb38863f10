"""The policies of a stack: of its roles, their trust, its queues, buckets and functions."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.errors import UnsupportedError
from local.iam.policy import Rule, read
from local.iam.requests import Place, invocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.stack import Stack

ROLE = "AWS::IAM::Role"
_MANAGED = "AWS::IAM::ManagedPolicy"
_OF_AWS = "arn:aws:iam::aws:policy/"
# Resources of these types would change the roles' grants from elsewhere in the template.
_ELSEWHERE = (
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::SQS::QueueInlinePolicy",
)
_QUEUE = "AWS::SQS::Queue"
_PERMISSION = frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"})
_NARROWING = "PermissionsBoundary"


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the stack.

    Attributes:
        logical_id: its name in the template.
        arn: its ARN.
        rules: the rules of its policies.
        trust: the rules of its trust policy.
    """

    logical_id: str
    arn: str
    rules: tuple[Rule, ...]
    trust: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """The role's name, as its sessions' ARNs have it."""
        return self.arn.rpartition("/")[2]


def place_of(stack: Stack) -> Place:
    """Return the place of a stack's requests."""
    definitions = stack.of_type("AWS::ECS::TaskDefinition").values()
    passed = {
        d["Family"]: tuple(d[key] for key in ("TaskRoleArn", "ExecutionRoleArn") if key in d)
        for d in definitions
    }
    return Place(stack.region, stack.account, passed)


def roles_of(stack: Stack) -> dict[str, Role]:
    """Return the roles of a stack by their logical ids.

    Raises:
        UnsupportedError: a policy holds something that is not known here.
    """
    for kind in _ELSEWHERE:
        for logical_id in stack.of_type(kind):
            raise UnsupportedError(f"{logical_id}: {kind} is not known here.")
    managed = {
        stack.arn(logical_id): tuple(read(policy["PolicyDocument"], logical_id))
        for logical_id, policy in stack.of_type(_MANAGED).items()
    }
    return {
        logical_id: _role(logical_id, stack.arn(logical_id), properties, managed)
        for logical_id, properties in stack.of_type(ROLE).items()
    }


def of_resources(stack: Stack) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of the policies of a stack's queues, buckets and functions, by their ARNs.

    Raises:
        UnsupportedError: a policy holds something that is not known here.
    """
    place, found = place_of(stack), defaultdict[str, list[Rule]](list)
    queues = {url: stack.arn(name) for name, url, kind in stack.resources() if kind == _QUEUE}
    for logical_id, policy in stack.of_type("AWS::SQS::QueuePolicy").items():
        for queue in policy["Queues"]:
            found[queues[queue]] += read(policy["PolicyDocument"], logical_id, shared=True)
    for logical_id, policy in stack.of_type("AWS::S3::BucketPolicy").items():
        bucket = place.bucket(policy["Bucket"])
        found[bucket] += read(policy["PolicyDocument"], logical_id, shared=True)
    for logical_id, permission in stack.of_type("AWS::Lambda::Permission").items():
        resource = invocation(permission["FunctionName"], None, place).resource
        found[resource] += _permission(logical_id, permission, resource)
    return {arn: tuple(rules) for arn, rules in found.items()}


def _permission(logical_id: str, permission: Mapping[str, Any], resource: str) -> Iterator[Rule]:
    """Yield the rule that Lambda makes of a permission."""
    if unknown := permission.keys() - _PERMISSION:
        raise UnsupportedError(f"{logical_id}: {', '.join(sorted(unknown))} is not known here.")
    condition: dict[str, dict[str, str]] = {}
    if "SourceArn" in permission:
        condition["ArnLike"] = {"aws:SourceArn": permission["SourceArn"]}
    if "SourceAccount" in permission:
        condition["StringEquals"] = {"aws:SourceAccount": permission["SourceAccount"]}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": permission["Principal"]},
        "Action": permission["Action"],
        "Resource": resource,
        "Condition": condition,
    }
    document = {"Version": "2012-10-17", "Statement": statement}
    yield from read(document, logical_id, shared=True)


def _role(
    logical_id: str,
    arn: str,
    properties: Mapping[str, Any],
    managed: Mapping[str, tuple[Rule, ...]],
) -> Role:
    if _NARROWING in properties:
        raise UnsupportedError(f"{logical_id}: {_NARROWING} is not known here.")
    rules: list[Rule] = []
    for named in properties.get("ManagedPolicyArns", ()):
        rules += managed[named] if named in managed else _of_aws(named, logical_id)
    for policy in properties.get("Policies", ()):
        rules += read(policy["PolicyDocument"], f"{logical_id}, policy {policy['PolicyName']}")
    trusted = f"{logical_id}, AssumeRolePolicyDocument"
    trust = read(properties["AssumeRolePolicyDocument"], trusted, resource=arn, shared=True)
    return Role(logical_id, arn, tuple(rules), tuple(trust))


def _of_aws(arn: str, logical_id: str) -> Iterator[Rule]:
    """Yield the rules of an AWS managed policy; SAM attaches some where a template names none."""
    from moto.iam.aws_managed_policies import (  # noqa: PLC0415 - thousands, seldom needed
        aws_managed_policies_data,
    )

    policy = json.loads(aws_managed_policies_data).get(arn.rpartition("/")[2])
    if not arn.startswith(_OF_AWS) or policy is None:
        raise UnsupportedError(f"{logical_id}: the policy {arn} is not known here.")
    yield from read(policy["Document"], arn.removeprefix(_OF_AWS))
