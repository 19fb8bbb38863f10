"""template.yaml as CloudFormation receives it: translated by AWS's own transform and filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samtranslator.yaml_helper import yaml_parse

from local.stack.identities import Identities
from local.stack.intrinsics import Intrinsics
from local.stack.translation import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.stack.intrinsics import References

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"
ACCOUNT = "123456789012"
REGION = "us-east-1"
_ENDPOINT = f"https://sqs.{REGION}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack that a set of parameters makes.

    Attributes:
        resources: by logical id, those whose condition holds.
        outputs: values by name.
        name: its own.
        references: what resources are called; symbols, as `${Cluster.Arn}` and `${CallbackTable}`,
            unless names are asked for.
    """

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, str]
    name: str
    references: References

    def arn(self, logical_id: str) -> str:
        """Return a resource's ARN."""
        return self.references.attribute(logical_id, "Arn")

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of one type, by logical id."""
        return {
            name: dict(resource["Properties"])
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the properties of all functions, by logical id."""
        return self.of_type("AWS::Lambda::Function")

    def durable_functions(self) -> dict[str, dict[str, Any]]:
        """Return the properties of the durable functions, by logical id."""
        return {key: f for key, f in self.functions().items() if "DurableConfig" in f}


def stack(name: str = "demo", path: Path = TEMPLATE, **parameters: str) -> Stack:
    """Return the stack that a template makes under a name, with parameters or their defaults."""
    template = translated(path)
    return _made(template, _filling(template, name, parameters, _Symbols()), name)


def named_stack(template: Mapping[str, Any], name: str = "demo", **parameters: str) -> Stack:
    """Return the stack of a translated template, names and ARNs in the place of symbols."""
    resources = template["Resources"]
    names = Identities(
        resources, lambda node: str(filling.fill(node)), name, REGION, ACCOUNT, _ENDPOINT
    )
    filling = _filling(template, name, parameters, names)
    return _made(template, filling, name)


def _filling(
    template: Mapping[str, Any], name: str, parameters: Mapping[str, str], references: References
) -> Intrinsics:
    defaults = {key: value["Default"] for key, value in template["Parameters"].items()}
    pseudo = {
        "AWS::StackName": name,
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
    }
    return Intrinsics({**defaults, **parameters, **pseudo}, template["Conditions"], references)


def _made(template: Mapping[str, Any], filling: Intrinsics, name: str) -> Stack:
    kept = {
        key: filling.properties(resource)
        for key, resource in template["Resources"].items()
        if "Condition" not in resource or filling.holds(resource["Condition"])
    }
    outputs = {key: str(filling.fill(out["Value"])) for key, out in template["Outputs"].items()}
    return Stack(kept, outputs, name, filling.references)


def source(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template as it is written."""
    template: dict[str, Any] = yaml_parse(path.read_text())
    return template


@cache
def translated(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template after the SAM transform, its intrinsic functions still in place."""
    return translate(path, REGION)


def with_own_function(handler: str) -> dict[str, Any]:
    """Return template.yaml with a durable function beside the others, as docs/own-work.md adds one.

    Args:
        handler: the function's; its name is that of the EventBridge flow's with another word.
    """
    template = source()
    resources = template["Resources"]
    for kind in ("LambdaFunction", "LogGroup", "Role"):
        resources[f"Added{kind}"] = _own(resources[f"EventBridge{kind}"])
    resources["AddedLambdaFunction"]["Properties"]["Handler"] = handler
    for role in ("TaskStateRole", "ExecutionStatusRole", "ReconcilerRole"):
        [policy] = resources[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            named = as_list(statement["Resource"])
            if any("-eventbridge-function:" in str(arn) for arn in named):
                own = [_own(arn) for arn in named if "-eventbridge-function:" in str(arn)]
                statement["Resource"] = [*named, *own]
    return template


def without(holder: str, action: str) -> dict[str, Any]:
    """Return template.yaml without an action in the policies of one of its resources.

    Args:
        holder: the resource's logical id.
        action: as its statements have it.
    """
    template = source()
    if not _remove(template["Resources"][holder], action):
        raise ValueError(f"{holder} does not name {action}")
    return template


def _remove(part: Any, action: str) -> int:
    """Take an action out of every statement in a part of a template; return from how many."""
    if isinstance(part, list):
        return sum(_remove(item, action) for item in part)
    if not isinstance(part, dict):
        return 0
    found = 0
    if isinstance(part.get("Statement"), list):
        for statement in part["Statement"]:
            named = as_list(statement["Action"])
            found += action in named
            statement["Action"] = [name for name in named if name != action]
    return found + sum(_remove(value, action) for value in part.values())


def _own(part: Any) -> Any:
    text = json.dumps(part).replace("EventBridge", "Added")
    return json.loads(text.replace("-eventbridge-function", "-added-function"))


def as_list(value: Any) -> list[Any]:
    """Return a policy element, which may be one or several, as a list."""
    return value if isinstance(value, list) else [value]


class _Symbols:
    """Leaves references to resources as symbols."""

    def ref(self, logical_id: str) -> str:
        return f"${{{logical_id}}}"

    def attribute(self, logical_id: str, name: str) -> str:
        return f"${{{logical_id}.{name}}}"
