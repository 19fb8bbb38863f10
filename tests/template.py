"""template.yaml as CloudFormation receives it: translated by AWS's own transform and filled in."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
ACCOUNT = "123456789012"
REGION = "us-east-1"
# Where `sam deploy` uploads to; the transform takes no folders.
_UPLOADED = "s3://artifacts/code.zip"
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack that a set of parameters makes.

    References to resources stay symbols: `${Cluster.Arn}`, `${CallbackTable}`.

    Attributes:
        resources: by logical id, those whose condition holds.
        outputs: values by name.
    """

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, str]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of one type, by logical id."""
        return {
            name: dict(resource["Properties"])
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return all policy statements of a role, those of its managed policies included."""
        properties = self.resources[role]["Properties"]
        shared = [arn.strip("${}") for arn in properties.get("ManagedPolicyArns", [])]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [self.resources[name]["Properties"]["PolicyDocument"] for name in shared]
        return [statement for document in documents for statement in document["Statement"]]

    def all_statements(self) -> list[dict[str, Any]]:
        """Return the policy statements of every role."""
        return [s for role in self.of_type("AWS::IAM::Role") for s in self.statements(role)]


def stack(name: str = "demo", **parameters: str) -> Stack:
    """Return the stack that template.yaml makes under a name, with parameters or their defaults."""
    template = copy.deepcopy(translated())
    defaults = {key: value["Default"] for key, value in template["Parameters"].items()}
    pseudo = {
        "AWS::StackName": name,
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
    }
    filling = _Filling({**defaults, **parameters, **pseudo}, template["Conditions"])
    kept = {
        key: resource
        for key, resource in template["Resources"].items()
        if "Condition" not in resource or filling.holds(resource["Condition"])
    }
    outputs = {key: filling.fill(value["Value"]) for key, value in template["Outputs"].items()}
    return Stack({key: filling.fill(resource) for key, resource in kept.items()}, outputs)


def source() -> dict[str, Any]:
    """Return template.yaml as it is written."""
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


@cache
def translated() -> dict[str, Any]:
    """Return template.yaml after the SAM transform, its intrinsic functions still in place."""
    template = source()
    template["Globals"]["Function"]["CodeUri"] = _UPLOADED
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = _UPLOADED

    class NoPolicies:
        def load(self) -> dict[str, str]:
            return {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        result: dict[str, Any] = transform(template, {}, NoPolicies())
    return result


def as_list(value: str | list[str]) -> list[str]:
    """Return a policy element, which may be one string or several, as a list."""
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _Filling:
    """CloudFormation's intrinsic functions, as far as the template uses them."""

    values: Mapping[str, Any]
    conditions: Mapping[str, Any]

    def holds(self, condition: str) -> bool:
        return bool(self.fill(self.conditions[condition]))

    def fill(self, node: Any) -> Any:  # noqa: ANN401 - any part of a template
        if isinstance(node, list):
            filled = [self.fill(item) for item in node]
            return [item for item in filled if item is not _ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            function = getattr(self, f"_{name.removeprefix('Fn::').lower()}", None)
            if function and (name.startswith("Fn::") or isinstance(argument, str)):
                return function(argument)
        return dict(self._present(node))

    def _present(self, node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            filled = self.fill(value)
            if filled is not _ABSENT:
                yield key, filled

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - a parameter's value
        return _ABSENT if name == "AWS::NoValue" else self.values.get(name, f"${{{name}}}")

    def _getatt(self, path: list[str]) -> str:
        return f"${{{'.'.join(path)}}}"

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda match: str(self._ref(match[1])), text)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = self.fill(argument)
        return str(separator.join(parts))

    def _if(self, argument: list[Any]) -> Any:  # noqa: ANN401 - either branch
        condition, then, otherwise = argument
        return self.fill(then if self.holds(condition) else otherwise)

    def _condition(self, name: str) -> bool:
        return self.holds(name)

    def _not(self, argument: list[Any]) -> bool:
        return not self.fill(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        first, second = self.fill(argument)
        return bool(first == second)
