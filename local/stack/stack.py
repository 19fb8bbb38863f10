"""A stack: the template with its parameters and references filled in."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from local.errors import TemplateError
from local.stack.identities import Identities
from local.stack.intrinsics import Intrinsics
from local.stack.regions import ACCOUNT
from local.stack.samconfig import PROJECT, SAMCONFIG, overrides, stack_name
from local.stack.translation import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["PROJECT", "Home", "Stack"]


class Home(NamedTuple):
    """A stack's Region, its name, if it is not the one of samconfig.toml, and its account."""

    region: str = "us-east-1"
    name: str = ""
    account: str = ACCOUNT


_HOME = Home()


class Stack:
    """The stack that `sam deploy` would make of a template, with every name known beforehand.

    Attributes:
        name: the stack's name, as samconfig.toml proposes it.
        region: the stack's Region.
        account: the stack's account.
        parameters: values of the parameters.
        description: the template's description.
        worker_image: the image that a deployment would run instead of src/worker/; empty for none.

    Raises:
        TemplateError: the file is no template, or has a parameter without a value.
    """

    def __init__(
        self,
        template: Path,
        endpoint: str,
        parameters: Mapping[str, str] | None = None,
        home: Home = _HOME,
        samconfig: Path = SAMCONFIG,
    ) -> None:
        self.name = home.name or stack_name(samconfig)
        self.region, self.account = region, account = home.region, home.account
        self._path = template
        self._template = translate(template, region)
        described = self._template.get("Parameters", {})
        defaults = {k: v["Default"] for k, v in described.items() if "Default" in v}
        pseudo = {
            "AWS::StackName": self.name,
            "AWS::AccountId": account,
            "AWS::Region": region,
            "AWS::Partition": "aws",
        }
        resources = self._template["Resources"]
        self._names = Identities(resources, self._fill, self.name, region, account, endpoint)
        given = {**defaults, **(parameters or {})}
        self.parameters = {name: str(value) for name, value in given.items()}
        if missing := described.keys() - given:
            raise TemplateError(f"Its parameters have no default: {', '.join(sorted(missing))}.")
        chosen = {**defaults, **overrides(samconfig)}
        self.worker_image: str = chosen.get("WorkerImage", "")
        self.description: str = self._template.get("Description", "")
        conditions = self._template.get("Conditions", {})
        self._intrinsics = Intrinsics({**given, **pseudo}, conditions, self._names)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of one type, by logical id, each with its name."""
        return {
            name: {**self._names.named(name), **self._filled(name)}
            for name, _, its_kind in self.resources()
            if its_kind == kind
        }

    def written(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the logical id, the type and the properties of each resource, none added."""
        for name, _, kind in self.resources():
            yield name, kind, self._filled(name)

    def resources(self) -> Iterator[tuple[str, str, str]]:
        """Yield the logical id, the physical id and the type of each resource."""
        for name, resource in self._template["Resources"].items():
            if "Condition" not in resource or self._intrinsics.holds(resource["Condition"]):
                yield name, self._intrinsics.references.ref(name), resource["Type"]

    def _filled(self, logical_id: str) -> dict[str, Any]:
        written = self._template["Resources"][logical_id].get("Properties", {})
        return self._intrinsics.properties(written)

    def arn(self, logical_id: str) -> str:
        """Return a resource's ARN."""
        return self._intrinsics.references.attribute(logical_id, "Arn")

    def role(self, arn: str | None) -> str:
        """Return the logical id of the role with that ARN; "" if it is not in the template."""
        return self._roles.get(arn or "", "")

    @cached_property
    def _roles(self) -> dict[str, str]:
        roles = (name for name, _, kind in self.resources() if kind == "AWS::IAM::Role")
        return {self.arn(name): name for name in roles}

    def code(self, function: Mapping[str, Any]) -> Path:
        """Return the folder of a function's code, by its properties.

        The folder is beside the template, as `sam build` leaves it. A copy of the template in
        another place still uses this project's folder.
        """
        key = function["Code"]["S3Key"]
        beside: Path = self._path.parent / key
        return beside if beside.is_dir() else PROJECT / key

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name."""
        outputs = self._template.get("Outputs", {})
        return {k: self._fill(v["Value"]) for k, v in outputs.items()}

    def says(self, output: str) -> str:
        """Return an output's description in the template."""
        return str(self._template["Outputs"][output]["Description"])

    def _fill(self, node: object) -> str:
        """Return the value of a name or an output."""
        return str(self._intrinsics.fill(node))
