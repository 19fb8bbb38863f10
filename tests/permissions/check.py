"""The differences between a template and the list in docs/permissions.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.permissions.page import listed
from tests.permissions.policies import READ, UnreadError, granted
from tests.template import named_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.permissions.grant import Grant

IMAGES = ("", "example/worker:1")
OWN_NETWORK = {"SubnetIds": "subnet-0a1b2c3d", "SecurityGroupIds": "sg-0c1d2e3f"}
# Every condition that a template may have: either image makes them hold, or not.
_CONDITIONS = (
    {"Fn::Equals": [{"Ref": "WorkerImage"}, ""]},
    {"Fn::Not": [{"Condition": "FetchesCode"}]},
)
# Those that are looked at one way alone, for nothing that grants or is granted may go by them.
_ELSEWHERE = (
    {"Fn::Equals": [{"Ref": "PermissionsBoundaryArn"}, ""]},
    {"Fn::Equals": [{"Ref": "SubnetIds"}, ""]},
    {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]},
)
_NARROWING = "PermissionsBoundary"
_EXEMPLAR = "-eventbridge-function"


def differences(template: Mapping[str, Any], *, added: str = "") -> list[str]:
    """Return what a translated template grants beside the page, and what it does not grant.

    Both are looked at with either kind of worker image.

    Args:
        template: its intrinsic functions still in place.
        added: the end of the name of a function beside the others, which has, by the page, the
            grants of the EventBridge flow's.
    """
    if unread := _unread(template):
        return [f"not read: {unread}"]
    found: dict[str, None] = {}
    for image in IMAGES:
        stack = named_stack(template, WorkerImage=image)
        expected = listed(stack, own_image=bool(image))
        if added:
            expected |= {_like(grant, added) for grant in expected}
        try:
            actual = granted(stack)
        except UnreadError as error:
            return [f"not read: {error}"]
        for what, grants in (
            ("granted, not listed", actual - expected),
            ("listed, not granted", expected - actual),
        ):
            found |= dict.fromkeys(f"{what}: {grant}" for grant in sorted(map(str, grants)))
    return list(found)


def _unread(template: Mapping[str, Any]) -> str | None:
    """Return why a template may grant more than is looked at; None if it cannot."""
    if "Transform" in template:
        return "a macro may grant something"
    for name, condition in template["Conditions"].items():
        if condition not in (*_CONDITIONS, *_ELSEWHERE):
            return f"the condition {name} is looked at one way alone"
    unseen = {name for name, its in template["Conditions"].items() if its in _ELSEWHERE}
    parameters = template["Parameters"].keys() - {"WorkerImage"}
    granting = {n: r for n, r in template["Resources"].items() if not _grants_nothing(r["Type"])}
    for name, resource in granting.items():
        of_grants = parameters if resource["Type"] in READ else set()
        if used := (unseen | of_grants) & set(_references(resource)):
            return f"{name} may grant something by {', '.join(sorted(used))}"
    return None


def _grants_nothing(kind: str) -> bool:
    return kind.startswith(("AWS::CloudWatch::", "AWS::EC2::", "AWS::SSM::Parameter"))


def _references(node: object) -> Iterator[str]:
    """Yield what a part of a template refers to, conditions too; not what a boundary does."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == _NARROWING:
                continue
            if key in {"Ref", "Condition"}:
                yield str(value)
            elif key == "Fn::If":
                yield str(value[0])
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{([^}!]+)\}", str(value))
            yield from _references(value)


def _like(grant: Grant, added: str) -> Grant:
    """Return what a grant is for the added function, where it is one of or on its exemplar."""
    return grant._replace(
        holder=grant.holder.replace(_EXEMPLAR, added),
        resource=grant.resource.replace(_EXEMPLAR, added),
    )
