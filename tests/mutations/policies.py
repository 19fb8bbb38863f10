"""Ways to break the policies of the template, made from the template itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.mutations import statements
from tests.mutations.edit import DROPPED, Edit
from tests.permissions.check import differences
from tests.template import as_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Resources = Mapping[str, Mapping[str, Any]]

_ADMINISTRATOR = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}
_ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_ANYBODY = {**_ANYTHING, "Principal": "*"}
_OPEN = {"Version": "2012-10-17", "Statement": [_ANYBODY]}
_ALL = {"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": [_ANYTHING]}}
# Types that grant too, or that a stack may have more than one of.
_ADDED: Mapping[str, Mapping[str, Any]] = {
    "AWS::IAM::Policy": {"Roles": [{"Ref": "TaskRole"}], "PolicyDocument": _OPEN},
    "AWS::IAM::RolePolicy": {"RoleName": {"Ref": "TaskRole"}, "PolicyDocument": _OPEN},
    "AWS::IAM::Role": {"AssumeRolePolicyDocument": _OPEN},
    "AWS::IAM::User": {"Policies": [{"PolicyName": "all", "PolicyDocument": _OPEN}]},
    "AWS::IAM::Group": {"ManagedPolicyArns": [_ADMINISTRATOR]},
    "AWS::CloudFormation::Stack": {"TemplateURL": "https://example.com/more.yaml"},
    "AWS::S3::AccessPoint": {"Bucket": {"Ref": "DataBucket"}, "Policy": _OPEN},
    "AWS::S3::Bucket": {"AccessControl": "PublicRead"},
    "AWS::S3::BucketPolicy": {"Bucket": {"Ref": "DataBucket"}, "PolicyDocument": _OPEN},
    "AWS::SQS::QueuePolicy": {
        "Queues": [{"Ref": "UnprocessedEventsQueue"}],
        "PolicyDocument": _OPEN,
    },
    "AWS::Lambda::Permission": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "SyncLambdaFunctionAliaslive"},
        "Principal": "*",
    },
    "AWS::Lambda::Url": {"TargetFunctionArn": {"Ref": "SyncLambdaFunction"}, "AuthType": "NONE"},
    "AWS::Logs::ResourcePolicy": {"PolicyDocument": "{}"},
    "AWS::DynamoDB::Table": {"ResourcePolicy": {"PolicyDocument": _OPEN}},
}

_BY_PARAMETER = {
    "Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Wide}-callbacks"
}
# What may hold when nobody looks.
_HIDING: Mapping[str, Mapping[str, Any]] = {
    "of another parameter": {"Fn::Equals": [{"Ref": "LogTail"}, "no"]},
    "of one image": {"Fn::Equals": [{"Ref": "WorkerImage"}, "mine"]},
    "of one network": {"Fn::Equals": [{"Ref": "SubnetIds"}, "subnet-0a1b2c3d"]},
    "of a Region": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
}
# A boundary's condition and parameter may decide about nothing else.
_UNBOUNDED = "IsUnbounded"


def edits(template: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield every way to break the policies of a translated template, each named by its place."""
    resources: Resources = template["Resources"]
    for name, resource in resources.items():
        if rule := _RULES.get(resource["Type"]):
            for edit in rule(name, resources):
                yield edit.below("Resources", name, name=f"{name}: ")
    for kind, properties in _ADDED.items():
        yield Edit(
            f"one more {kind}", ("Resources", "Added"), {"Type": kind, "Properties": properties}
        )
    for name, condition in _HIDING.items():
        yield Edit(f"the condition {name}", ("Conditions", "Hiding"), condition)
    path = ("Properties", "PolicyDocument", "Statement", 0, "Resource")
    named = Edit("", ("Resources", "WorkerPolicy", *path), _BY_PARAMETER).apply(template)
    more = {**template["Parameters"], "Wide": {"Type": "String", "Default": "demo"}}
    yield Edit("a parameter in a resource", (), {**named, "Parameters": more})
    yield from _boundary(resources)
    yield Edit("a role with one network", ("Resources", "TaskRole", "Condition"), "MakesNetwork")
    yield Edit("a macro", ("Transform",), ["Macro"])


def _boundary(resources: Resources) -> Iterator[Edit]:
    """Yield ways to grant something by a boundary's parameter or condition."""
    role = ("Resources", "TaskRole", "Properties")
    attached = [{"Ref": "PermissionsBoundaryArn"}]
    yield Edit("the boundary as a policy", (*role, "ManagedPolicyArns"), attached)
    written = resources["TaskRole"]["Properties"]["Policies"]
    hidden = {"Fn::If": [_UNBOUNDED, {"Ref": "AWS::NoValue"}, _ALL]}
    yield Edit("a policy with a boundary", (*role, "Policies"), [*written, hidden])
    policy = ("Resources", "TracingPolicy", "Condition")
    yield Edit("a policy without a boundary", policy, _UNBOUNDED)
    roles = [{"Fn::GetAtt": [role, "Arn"]} for role in ("SyncRole", "ReconcilerRole")]
    function = ("Resources", "SyncLambdaFunction", "Properties", "Role")
    yield Edit("another role with a boundary", function, {"Fn::If": [_UNBOUNDED, *roles]})
    other = {"Fn::Not": [{"Condition": _UNBOUNDED}]}
    yield Edit("the opposite of a boundary", ("Conditions", "Hiding"), other)


def missed(template: Mapping[str, Any], chosen: Iterable[Edit]) -> list[str]:
    """Return the names of those edits after which docs/permissions.md still seems to be right."""
    return [edit.what for edit in chosen if not differences(edit.apply(template))]


def _role(name: str, resources: Resources) -> Iterator[Edit]:
    role = resources[name]["Properties"]
    path = ("Properties", "AssumeRolePolicyDocument")
    yield from _document(role["AssumeRolePolicyDocument"], path, "trust, ")
    for index, policy in enumerate(role.get("Policies", [])):
        yield from _policy(policy, ("Properties", "Policies", index))
    attached = role.get("ManagedPolicyArns", [])
    path = ("Properties", "ManagedPolicyArns")
    for index, policy in enumerate(attached):
        yield Edit(f"without {policy['Ref']}", (*path, index), DROPPED)
        for other in _others(resources, "AWS::IAM::ManagedPolicy", policy["Ref"]):
            if {"Ref": other} not in attached:
                yield Edit(f"{other}, not {policy['Ref']}", (*path, index), {"Ref": other})
    yield Edit("every right", path, [*attached, _ADMINISTRATOR])


def _policy(policy: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Edit]:
    if "Fn::If" not in policy:
        yield Edit(f"without {policy['PolicyName']}", path, DROPPED)
        named = f"{policy['PolicyName']}, "
        yield from _document(policy["PolicyDocument"], (*path, "PolicyDocument"), named)
        return
    condition, then, otherwise = policy["Fn::If"]
    name = then["PolicyName"]
    yield Edit(f"{name} with either image", path, then)
    yield Edit(f"{name} with no image", path, otherwise)
    yield Edit(f"{name} with the other image", path, {"Fn::If": [condition, otherwise, then]})
    yield from _document(
        then["PolicyDocument"], (*path, "Fn::If", 1, "PolicyDocument"), f"{name}, "
    )


def _managed_policy(name: str, resources: Resources) -> Iterator[Edit]:
    document = resources[name]["Properties"]["PolicyDocument"]
    yield from _document(document, ("Properties", "PolicyDocument"))


def _document(
    document: Mapping[str, Any], path: tuple[str | int, ...], name: str = ""
) -> Iterator[Edit]:
    written = document["Statement"]
    more = _ANYBODY if "Principal" in written[0] else _ANYTHING
    yield Edit(f"{name}anything", (*path, "Statement"), [*written, more])
    for index, statement in enumerate(written):
        place = (*path, "Statement", index)
        actions = " ".join(as_list(statement["Action"]))
        named = f"{name}statement {index + 1} ({statement['Effect']} {actions}), "
        yield Edit("dropped", place, DROPPED).below(name=named)
        yield from (edit.below(*place, name=named) for edit in statements.edits(statement))


def _queue_policy(name: str, resources: Resources) -> Iterator[Edit]:
    properties = resources[name]["Properties"]
    yield from _document(properties["PolicyDocument"], ("Properties", "PolicyDocument"))
    for queue in _others(resources, "AWS::SQS::Queue", properties["Queues"][0]["Ref"]):
        yield Edit(f"of {queue} instead", ("Properties", "Queues"), [{"Ref": queue}])
    yield Edit("dropped", (), DROPPED)


def _bucket_policy(name: str, resources: Resources) -> Iterator[Edit]:
    document = resources[name]["Properties"]["PolicyDocument"]
    yield from _document(document, ("Properties", "PolicyDocument"))
    yield Edit("dropped", (), DROPPED)


def _permission(name: str, resources: Resources) -> Iterator[Edit]:
    properties = resources[name]["Properties"]
    yield Edit("dropped", (), DROPPED)
    yield Edit("from any rule", ("Properties", "SourceArn"), DROPPED)
    any_rule = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*"}
    yield Edit("from any rule of the account", ("Properties", "SourceArn"), any_rule)
    for principal in ("*", {"Ref": "AWS::AccountId"}, "s3.amazonaws.com"):
        yield Edit(f"for {principal}", ("Properties", "Principal"), principal)
    yield Edit("of any action", ("Properties", "Action"), "lambda:*")
    for alias in _others(resources, "AWS::Lambda::Alias", properties["FunctionName"]["Ref"]):
        yield Edit(f"of {alias}", ("Properties", "FunctionName"), {"Ref": alias})


def _function(name: str, resources: Resources) -> Iterator[Edit]:
    own = resources[name]["Properties"]["Role"]["Fn::GetAtt"][0]
    for role in _others(resources, "AWS::IAM::Role", own):
        yield Edit(f"with {role}", ("Properties", "Role"), {"Fn::GetAtt": [role, "Arn"]})


def _task_definition(name: str, resources: Resources) -> Iterator[Edit]:
    properties = resources[name]["Properties"]
    for key in ("TaskRoleArn", "ExecutionRoleArn"):
        own = properties[key]["Fn::GetAtt"][0]
        for role in _others(resources, "AWS::IAM::Role", own):
            yield Edit(f"{key} {role}", ("Properties", key), {"Fn::GetAtt": [role, "Arn"]})


def _of_type(resources: Resources, kind: str) -> list[str]:
    return [name for name, resource in resources.items() if resource["Type"] == kind]


def _others(resources: Resources, kind: str, own: str) -> Iterable[str]:
    return [name for name in _of_type(resources, kind) if name != own]


_RULES: Mapping[str, Callable[[str, Resources], Iterator[Edit]]] = {
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Function": _function,
    "AWS::ECS::TaskDefinition": _task_definition,
}
