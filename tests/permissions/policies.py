"""The grants that a template makes, read from its policies."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from tests.permissions.grant import Condition, Grant
from tests.template import as_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.template import Stack

# By type, the properties that are read here, or that grant nothing.
READ = {
    "AWS::IAM::Role": {
        "AssumeRolePolicyDocument",
        "ManagedPolicyArns",
        "PermissionsBoundary",  # it takes away, and grants nothing
        "Policies",
    },
    "AWS::IAM::ManagedPolicy": {"Description", "PolicyDocument"},
    "AWS::S3::BucketPolicy": {"Bucket", "PolicyDocument"},
    "AWS::SQS::QueuePolicy": {"PolicyDocument", "Queues"},
    "AWS::Lambda::Permission": {"Action", "FunctionName", "Principal", "SourceArn"},
}
# The same, for types whose properties may go by any parameter.
_KNOWN = {
    "AWS::S3::Bucket": {
        "BucketEncryption",
        "LifecycleConfiguration",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
    },
}
# Types of which nothing grants but a statement.
_SILENT = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    *(
        f"AWS::EC2::{kind}"
        for kind in (
            "InternetGateway",
            "Route",
            "RouteTable",
            "SecurityGroup",
            "Subnet",
            "SubnetRouteTableAssociation",
            "VPC",
            "VPCGatewayAttachment",
        )
    ),
}
_TASK_ROLES = {"TaskRoleArn": "TaskRole", "ExecutionRoleArn": "TaskExecutionRole"}
_STATEMENT = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


class UnreadError(Exception):
    """A part of the template may grant something, in a form that is not read here."""


def granted(stack: Stack) -> set[Grant]:
    """Return every grant of a stack whose references are names and ARNs.

    Raises:
        UnreadError: it may grant more.
    """
    _refuse_unread(stack)
    return {
        *_of_roles(stack),
        *_of_queues(stack),
        *_of_buckets(stack),
        *_of_invocations(stack),
    }


def _refuse_unread(stack: Stack) -> None:
    for name, resource in stack.resources.items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        known = {**READ, **_KNOWN}
        if kind not in {*known, *_SILENT} or (kind in _SILENT and _has_statements(properties)):
            raise UnreadError(f"{name} ({kind}) may grant something: no type that is known here")
        for unread in properties.keys() - known.get(kind, properties.keys()):
            raise UnreadError(f"{name} ({kind}): {unread} may grant something")


def _has_statements(node: object) -> bool:
    if isinstance(node, dict):
        return "Statement" in node or any(map(_has_statements, node.values()))
    return isinstance(node, list) and any(map(_has_statements, node))


def _of_roles(stack: Stack) -> Iterator[Grant]:
    shared = stack.of_type("AWS::IAM::ManagedPolicy")
    documents = {stack.arn(name): policy["PolicyDocument"] for name, policy in shared.items()}
    for name, role in stack.of_type("AWS::IAM::Role").items():
        attached = role.get("ManagedPolicyArns", [])
        if foreign := [arn for arn in attached if arn not in documents]:
            raise UnreadError(f"{name}: {foreign} are no policies of this template")
        held = [role["AssumeRolePolicyDocument"], *(documents[arn] for arn in attached)]
        held += [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        holders = [holder for arn, holder in _holders(stack) if arn == stack.arn(name)]
        for holder in holders or [f"{name}, which nobody uses"]:
            for document in held:
                yield from _statements(holder, document)


def _holders(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield the ARN of each role that is used, and who uses it."""
    for function in stack.functions().values():
        yield function["Role"], function["FunctionName"]
    for definition in stack.of_type("AWS::ECS::TaskDefinition").values():
        for key, holder in _TASK_ROLES.items():
            yield definition[key], holder


def _of_queues(stack: Stack) -> Iterator[Grant]:
    of_queue: dict[str, object] = {}
    for name, policy in stack.of_type("AWS::SQS::QueuePolicy").items():
        for url in policy["Queues"]:
            queue = url.rpartition("/")[2]
            if of_queue.setdefault(queue, name) != name:
                raise UnreadError(f"{queue} has two policies: one of them would go")
            yield from _statements(queue, policy["PolicyDocument"])


def _of_buckets(stack: Stack) -> Iterator[Grant]:
    of_bucket: dict[str, object] = {}
    for name, policy in stack.of_type("AWS::S3::BucketPolicy").items():
        bucket = policy["Bucket"]
        if of_bucket.setdefault(bucket, name) != name:
            raise UnreadError(f"{bucket} has two policies: one of them would go")
        yield from _statements(bucket, policy["PolicyDocument"])


def _of_invocations(stack: Stack) -> Iterator[Grant]:
    for permission in stack.of_type("AWS::Lambda::Permission").values():
        arn = permission["FunctionName"]
        source = permission.get("SourceArn")
        asked = [Condition("ArnLike", "aws:SourceArn", frozenset([source]))] if source else []
        yield Grant(
            holder=arn.split(":")[6],
            action=permission["Action"],
            resource=arn,
            conditions=frozenset(asked),
            principal=permission["Principal"],
        )


def _statements(holder: str, document: Mapping[str, Any]) -> Iterator[Grant]:
    for statement in as_list(document["Statement"]):
        if unread := statement.keys() - _STATEMENT:
            raise UnreadError(f"{holder}: {', '.join(unread)} of a statement is not read")
        actions, resources = as_list(statement["Action"]), as_list(statement.get("Resource", ""))
        principals = _principals(statement.get("Principal", ""))
        conditions = frozenset(_conditions(statement.get("Condition", {})))
        for action, resource, principal in product(actions, resources, principals):
            yield Grant(holder, action, resource, conditions, principal, statement["Effect"])


def _principals(given: str | Mapping[str, Any]) -> Iterable[str]:
    if isinstance(given, str):
        return [given]
    return [
        name if kind == "Service" else f"{kind}:{name}"
        for kind, names in given.items()
        for name in as_list(names)
    ]


def _conditions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for operator, keys in given.items():
        for key, values in keys.items():
            yield Condition(operator, key, frozenset(as_list(values)))
