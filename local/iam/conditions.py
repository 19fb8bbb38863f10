"""The conditions of a policy: IAM's operators, as far as the template uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.errors import UnsupportedError
from local.iam.matching import is_arn, is_arn_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.iam.access import Context

_ALL_VALUES = "ForAllValues:"
_IF_EXISTS = "IfExists"
# Each operator compares a value of the request with a value of the policy.
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    # ArnEquals takes wildcards too: it is the same as ArnLike.
    "ArnEquals": is_arn_like,
    "ArnLike": is_arn_like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "StringEquals": lambda wanted, given: wanted == given,
}
_NULL = "Null"
_BOOLEAN = frozenset({"true", "false"})
# Every key that is filled in here as by AWS, see `requests` and `authority`.
_SINGLE = frozenset(
    {
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "dynamodb:ReturnValues",
        "ecs:CreateAction",
        "ecs:cluster",
        "iam:PassedToService",
    }
)
_SEVERAL = frozenset({"dynamodb:Attributes"})
_KEYS = {key.lower(): key for key in _SINGLE | _SEVERAL}


@dataclass(frozen=True, slots=True)
class Condition:
    """A demand on the values of one key.

    Attributes:
        operator: the operator, without `ForAllValues:` and `IfExists`.
        key: the key, in lower case.
        wanted: the wanted values, of which any one is enough.
        for_all: whether all values of the request have to be wanted ones; no value passes too.
        if_exists: whether a request without the key meets it.
    """

    operator: str
    key: str
    wanted: tuple[str, ...]
    for_all: bool = False
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """Whether a request meets it."""
        given = context.get(self.key, ())
        if self.operator == _NULL:
            return str(not given).lower() in self.wanted
        if not given:
            return self.if_exists or self.for_all
        meets = _OPERATORS[self.operator]
        # A single-valued key has one value; the other keys come with ForAllValues.
        return all(any(meets(wanted, value) for wanted in self.wanted) for value in given)


def read(block: Mapping[str, Mapping[str, object]], place: str) -> Iterator[Condition]:
    """Yield the conditions of a statement, all of which have to hold.

    Raises:
        UnsupportedError: an operator, a key or a value is not known here.
    """
    for operator, keys in block.items():
        for key, values in keys.items():
            yield _condition(operator, key, _texts(values), f"{place}, {operator} {key}")


def _condition(operator: str, key: str, wanted: tuple[str, ...], place: str) -> Condition:
    for_all = operator.startswith(_ALL_VALUES)
    bare = operator.removeprefix(_ALL_VALUES)
    if_exists = bare.endswith(_IF_EXISTS)
    bare = bare.removesuffix(_IF_EXISTS)
    if bare not in {*_OPERATORS, _NULL} or (bare == _NULL and operator != _NULL):
        raise UnsupportedError(f"{place}: the operator {operator} is not known here.")
    if key.lower() not in _KEYS:
        raise UnsupportedError(f"{place}: the condition key {key} is not known here.")
    several = _KEYS[key.lower()] in _SEVERAL
    if several != for_all and bare != _NULL:
        takes = f"takes {_ALL_VALUES}" if several else f"takes no {_ALL_VALUES}"
        raise UnsupportedError(f"{place}: {key} {takes} here.")
    for value in wanted:
        if fault := _fault(bare, value):
            raise UnsupportedError(f"{place}: {value!r} is {fault}.")
    values = tuple(value.lower() for value in wanted) if bare in {_NULL, "Bool"} else wanted
    return Condition(bare, key.lower(), values, for_all, if_exists)


def _fault(operator: str, value: str) -> str | None:
    if "${" in value:
        return "a policy variable, and none is known here"
    if operator in {_NULL, "Bool"} and value.lower() not in _BOOLEAN:
        return "neither true nor false"
    if operator.startswith("Arn") and not is_arn(value):
        return "no ARN"
    return None


def _texts(values: object) -> tuple[str, ...]:
    """Return values as IAM's texts: in YAML a boolean may stand without quotes."""
    listed = values if isinstance(values, list) else [values]
    return tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in listed)
