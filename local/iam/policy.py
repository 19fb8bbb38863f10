"""Policies: the rules of their statements, and the decision on one access."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from local.errors import UnsupportedError
from local.iam import conditions
from local.iam.matching import is_action, is_resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from local.iam.access import Access

Effect = Literal["Allow", "Deny"]

# The versions differ only in policy variables, which are not known here. SAM's own policies have no
# Version, which means the older one.
_VERSIONS = frozenset({"2008-10-17", "2012-10-17"})
_DOCUMENT = frozenset({"Id", "Statement", "Version"})
_STATEMENT = frozenset({"Action", "Condition", "Effect", "Principal", "Resource", "Sid"})
ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One action on one resource of one statement: the smallest part of a policy.

    Attributes:
        place: its place in the template.
        effect: the effect when it is about an access.
        action: the action, for example `dynamodb:UpdateItem`, with IAM's wildcards.
        resource: an ARN, with IAM's wildcards.
        conditions: the conditions, all of which have to hold.
        principals: the services that it is about, or ANYBODY; None in a role's policy, which is
            about the role.
    """

    place: str
    effect: Effect
    action: str
    resource: str
    conditions: tuple[conditions.Condition, ...] = ()
    principals: frozenset[str] | None = None

    def names(self, action: str) -> bool:
        """Whether an action is among those that it is about."""
        return is_action(self.action, action)

    def speaks_of(self, access: Access) -> bool:
        """Whether it is about an access."""
        return (
            self.names(access.action)
            and is_resource(self.resource, access.resource)
            and all(condition.holds(access.context) for condition in self.conditions)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of rules on an access.

    Attributes:
        rule: the rule that decided; None where no rule is about the access, which is a refusal.
    """

    rule: Rule | None

    @property
    def is_allowed(self) -> bool:
        """Whether the access is allowed."""
        return self.rule is not None and self.rule.effect == "Allow"


def decide(rules: Iterable[Rule], access: Access) -> Decision:
    """Return the decision: a Deny wins, and an access that no rule allows is refused."""
    speaking = [rule for rule in rules if rule.speaks_of(access)]
    denying = (rule for rule in speaking if rule.effect == "Deny")
    return Decision(next(denying, None) or next(iter(speaking), None))


def read(
    document: Mapping[str, Any], place: str, *, resource: str | None = None, shared: bool = False
) -> Iterator[Rule]:
    """Yield the rules of a policy document.

    Args:
        document: the document, with every intrinsic function filled in.
        place: its place in the template.
        resource: the resource of statements that name none: a trust policy is about its role.
        shared: whether it is a resource's policy, with principals; otherwise it is a role's.

    Raises:
        UnsupportedError: the document holds something that is not known here.
    """
    _check(document, _DOCUMENT, place)
    if (version := document.get("Version", "2008-10-17")) not in _VERSIONS:
        known = " and ".join(sorted(_VERSIONS))
        raise UnsupportedError(f"{place}: the Version {version!r} is not known here, but {known}.")
    for number, statement in enumerate(_listed(document["Statement"]), 1):
        yield from _rules(statement, f"{place}, statement {number}", resource, shared=shared)


def _rules(
    statement: Mapping[str, Any], place: str, resource: str | None, *, shared: bool
) -> Iterator[Rule]:
    _check(statement, _STATEMENT - ({"Resource"} if resource else set()), place)
    expected = {"Action", "Effect", *(["Principal"] if shared else [])}
    expected |= set() if resource else {"Resource"}
    if missing := expected - statement.keys():
        raise UnsupportedError(f"{place}: {', '.join(sorted(missing))} is missing.")
    if "Principal" in statement and not shared:
        raise UnsupportedError(f"{place}: a role's policy has no Principal.")
    if statement["Effect"] not in {"Allow", "Deny"}:
        raise UnsupportedError(f"{place}: an Effect is Allow or Deny.")
    principals = frozenset(_principals(statement["Principal"], place)) if shared else None
    met = tuple(conditions.read(statement.get("Condition", {}), place))
    resources = [resource] if resource else _listed(statement["Resource"])
    for action, named in product(_listed(statement["Action"]), resources):
        if ":" not in action and action != "*":
            raise UnsupportedError(f"{place}: {action!r} is no action.")
        if "${" in named:
            raise UnsupportedError(f"{place}: {named!r} is a policy variable; none is known here.")
        yield Rule(place, statement["Effect"], action, named, met, principals)


def _principals(given: object, place: str) -> Iterator[str]:
    if given in (ANYBODY, {"AWS": ANYBODY}):
        yield ANYBODY
    elif isinstance(given, dict) and given.keys() == {"Service"}:
        yield from _listed(given["Service"])
    else:
        raise UnsupportedError(f"{place}: the Principal {given!r} is not known here.")


def _check(element: object, known: frozenset[str], place: str) -> None:
    if not isinstance(element, dict):
        raise UnsupportedError(f"{place}: a mapping is expected, not {element!r}.")
    if unknown := element.keys() - known:
        raise UnsupportedError(f"{place}: {', '.join(sorted(unknown))} is not known here.")


def _listed(value: object) -> list[Any]:
    """Return an element that may be one value or several as a list."""
    return value if isinstance(value, list) else [value]
