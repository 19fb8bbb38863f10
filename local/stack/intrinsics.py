"""CloudFormation's intrinsic functions, as far as the template uses them."""

from __future__ import annotations

import ipaddress
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from local.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ABSENT = object()


class References(Protocol):
    """The names of a stack's resources."""

    def ref(self, logical_id: str) -> str:
        """Return a resource's `Ref`."""

    def attribute(self, logical_id: str, name: str) -> str:
        """Return a resource's `Fn::GetAtt`."""


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """Evaluates the intrinsic functions in any part of a template.

    Attributes:
        values: the parameters and pseudo parameters by name.
        conditions: the template's `Conditions`.
        references: gives the resources' names.
    """

    values: Mapping[str, Any]
    conditions: Mapping[str, Any]
    references: References

    def holds(self, condition: str) -> bool:
        """Evaluate a condition by its name."""
        return bool(self.fill(self.conditions[condition]))

    def fill(self, node: object) -> object:
        """Return the part with every function in it replaced by its value.

        Raises:
            UnsupportedError: a function is not known here.
        """
        if isinstance(node, list):
            return self._each(node)
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name in {"Ref", "Condition"} and isinstance(argument, str):
                return self._ref(argument) if name == "Ref" else self.holds(argument)
            if name.startswith("Fn::"):
                return self._call(name, argument)
        return self.properties(node)

    def properties(self, node: Mapping[str, object]) -> dict[str, Any]:
        """Return a mapping that is no function itself, with its values filled; see `fill`."""
        return dict(self._present(node))

    def _call(self, name: str, argument: object) -> object:
        function = getattr(self, f"_{name.removeprefix('Fn::').lower()}", None)
        if function is None:
            raise UnsupportedError(f"{name} is not known here")
        return function(argument)

    def _each(self, items: list[Any]) -> list[Any]:
        return [filled for filled in map(self.fill, items) if filled is not _ABSENT]

    def _present(self, node: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        for key, value in node.items():
            filled = self.fill(value)
            if filled is not _ABSENT:
                yield key, filled

    def _ref(self, name: str) -> object:
        if name == "AWS::NoValue":
            return _ABSENT
        return self.values[name] if name in self.values else self.references.ref(name)

    def _getatt(self, path: list[str] | str) -> str:
        logical_id, _, attribute = (path if isinstance(path, str) else ".".join(path)).partition(
            "."
        )
        return self.references.attribute(logical_id, attribute)

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = self.properties(own)

        def value(match: re.Match[str]) -> str:
            name = match[1]
            return str(values[name] if name in values else self._named(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _named(self, name: str) -> object:
        return self._getatt(name) if "." in name else self._ref(name)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = self._each(argument)
        return str(separator.join(parts))

    def _select(self, argument: list[Any]) -> object:
        index, options = self._each(argument)
        return options[int(index)]

    def _getazs(self, region: str) -> list[str]:
        return [f"{self.fill(region) or self.values['AWS::Region']}{zone}" for zone in "ab"]

    def _cidr(self, argument: list[Any]) -> list[str]:
        block, count, bits = self._each(argument)
        subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
        return [str(subnet) for subnet in itertools.islice(subnets, int(count))]

    def _if(self, argument: list[Any]) -> object:
        condition, then, otherwise = argument
        return self.fill(then if self.holds(condition) else otherwise)

    def _not(self, argument: list[Any]) -> bool:
        return not self.fill(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        first, second = self._each(argument)
        return bool(first == second)
