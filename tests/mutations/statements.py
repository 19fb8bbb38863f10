"""Ways to break one statement of a policy."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from tests.mutations.edit import DROPPED, Edit
from tests.template import as_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FLIPPED = {"Allow": "Deny", "Deny": "Allow"}
_EVERYBODY = ("*", {"AWS": "*"}, {"AWS": {"Ref": "AWS::AccountId"}})
_STACK = "${AWS::StackName}"


def edits(statement: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield every way to break a statement, each of which grants something else."""
    yield Edit("the effect is another", ("Effect",), _FLIPPED[statement["Effect"]])
    yield from _actions(statement)
    if "Resource" in statement:
        yield from _resources(statement)
    if "Principal" in statement:
        yield from _principals(statement["Principal"])
    if "Condition" in statement:
        yield Edit("no condition", ("Condition",), DROPPED)
        yield from _conditions(statement["Condition"])


def _actions(statement: Mapping[str, Any]) -> Iterator[Edit]:
    actions = as_list(statement["Action"])
    yield Edit("any action", ("Action",), "*")
    rest = {name: part for name, part in statement.items() if name != "Action"}
    yield Edit("any action but these", (), {**rest, "NotAction": actions})
    for service in sorted({action.partition(":")[0] for action in actions}):
        if f"{service}:*" not in actions:
            yield Edit(f"any action of {service}", ("Action",), f"{service}:*")
    for index, action in enumerate(actions):
        if action.endswith(":*"):
            yield Edit("one action alone", ("Action",), action.replace("*", "SendMessage"))
            continue
        wider = [*actions[:index], f"{action[:-4]}*", *actions[index + 1 :]]
        yield Edit(f"every action like {action}", ("Action",), wider)
        if len(actions) > 1:
            yield Edit(f"without {action}", ("Action",), _without(actions, index))


def _resources(statement: Mapping[str, Any]) -> Iterator[Edit]:
    resources = as_list(statement["Resource"])
    services = {action.partition(":")[0] for action in as_list(statement["Action"])}
    rest = {name: part for name, part in statement.items() if name != "Resource"}
    yield Edit("on anything but these", (), {**rest, "NotResource": resources})
    for index, resource in enumerate(resources):
        if resource == "*":
            narrower = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${AWS::StackName}"}
            yield Edit("on one resource alone", ("Resource",), narrower)
            continue
        text = _text(resource)
        shown = text.rpartition("${AWS::AccountId}:")[2]
        if len(resources) > 1:
            yield Edit(f"not on {shown}", ("Resource",), _without(resources, index))
        for other in chain(_others(text), (f"arn:*:{service}:*:*:*" for service in services), "*"):
            one = other if other == "*" else {"Fn::Sub": other}
            instead = [*resources[:index], one, *resources[index + 1 :]]
            yield Edit(f"on {other} in the place of {shown}", ("Resource",), instead)


def _others(resource: str) -> Iterator[str]:
    """Yield patterns that mean more than a resource, less or another one."""
    yield f"{resource}x" if resource.endswith("*") else f"{resource}*"
    if f"{_STACK}-" in resource:
        yield resource.replace(f"{_STACK}-", f"{_STACK}*", 1)
        yield resource.replace(f"{_STACK}-", f"{_STACK}-x-", 1)
    for part in ("${AWS::AccountId}", "${AWS::Region}"):
        if part in resource:
            yield resource.replace(part, "*")
    for end in (":*", "/*"):
        if resource.endswith(end):
            yield resource.removesuffix(end)
            yield resource.removesuffix(end) + "*"


def _principals(principal: object) -> Iterator[Edit]:
    for everybody in _EVERYBODY:
        if everybody != principal:
            yield Edit(f"for {everybody}", ("Principal",), everybody)
    yield Edit("for EC2", ("Principal",), {"Service": "ec2.amazonaws.com"})
    if isinstance(principal, dict):
        services = [*as_list(principal["Service"]), "ec2.amazonaws.com"]
        yield Edit("for EC2 too", ("Principal",), {"Service": services})


def _conditions(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[Edit]:
    for operator, keys in condition.items():
        if len(condition) > 1:
            yield Edit(f"no {operator}", ("Condition", operator), DROPPED)
        for other in _operators(operator):
            renamed = {other if o == operator else o: k for o, k in condition.items()}
            yield Edit(f"{other}, not {operator}", ("Condition",), renamed)
        for key, values in keys.items():
            path = ("Condition", operator, key)
            if len(keys) > 1:
                yield Edit(f"no {operator} {key}", path, DROPPED)
            yield Edit(f"{operator} any {key}", path, "*")
            yield Edit(f"{operator} one more {key}", path, [*as_list(values), "other"])
            for index, value in enumerate(values if isinstance(values, list) else ()):
                yield Edit(f"{operator} no {key} {value}", path, _without(values, index))


def _operators(operator: str) -> Iterator[str]:
    """Yield operators that hold for other requests."""
    quantifier, _, base = operator.rpartition(":")
    if quantifier:
        yield base
        yield operator.replace("ForAllValues", "ForAnyValue")
    else:
        yield f"ForAllValues:{operator}"
    yield operator.removesuffix("IfExists") if base.endswith("IfExists") else f"{operator}IfExists"
    for word in ("Equals", "Like"):
        if word in operator and "Not" not in operator:
            yield operator.replace(word, f"Not{word}")


def _text(resource: str | Mapping[str, Any]) -> str:
    """Return a resource as a text in which names stand for what they refer to."""
    if isinstance(resource, str):
        return resource
    [(function, argument)] = resource.items()
    if function == "Fn::Sub":
        return str(argument)
    return f"${{{argument if isinstance(argument, str) else '.'.join(argument)}}}"


def _without(items: list[Any], index: int) -> list[Any]:
    return [*items[:index], *items[index + 1 :]]
