"""The authority: it decides by a stack's policies, and notes used grants and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from local.iam.access import Access
from local.iam.policy import ANYBODY, Rule, decide
from local.iam.requests import ALWAYS, BUCKETS
from local.iam.roles import of_resources, place_of, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

EVENTS = "events.amazonaws.com"
_RULE = "AWS::Events::Rule"
# The number of parts before the resource in an ARN: arn, partition, service, Region, account.
_NAMED_AT = 5


class DeniedError(Exception):
    """An access is refused; the message has AWS's words."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a role.

    Attributes:
        role: the role's logical id; "" for a role that is not in the template.
        name: name of the session: a function's name, or a task's id.
    """

    role: str
    name: str


@dataclass(frozen=True, slots=True)
class Service:
    """An AWS service that acts for a resource of the stack.

    Attributes:
        name: the service's name, for example `events.amazonaws.com`.
        source: the resource's ARN.
    """

    name: str
    source: str


# A person, who may do everything, is None.
Principal: TypeAlias = "Session | Service | None"


class Grant(NamedTuple):
    """A grant of one policy: one action on one resource.

    Attributes:
        holder: logical id of the role or, for a resource's own policy, of that policy.
        action: the action, with wildcards as the template has them.
        resource: service and name of the resource; `<stack>` stands for the stack's name.
    """

    holder: str
    action: str
    resource: str


class Authority:
    """Decides by the policies of a stack.

    Attributes:
        place: the place of its requests.

    Raises:
        UnsupportedError: a policy holds something that is not known here.
    """

    def __init__(self, stack: Stack) -> None:
        self.place = place_of(stack)
        self._refused: dict[tuple[str, str], str] = {}
        self._stack = stack.name
        self._roles = roles_of(stack)
        # A role's trust policy belongs to the role, as a queue's policy belongs to the queue.
        self._shared = of_resources(stack) | {r.arn: r.trust for r in self._roles.values()}
        self._rules = frozenset(map(stack.arn, stack.of_type(_RULE)))
        self._held: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._used: set[tuple[str, Rule]] = set()

    @property
    def used(self) -> set[Grant]:
        """The grants that have been used so far."""
        return {self._grant(*used) for used in self._used.copy()}

    @cached_property
    def grants(self) -> frozenset[Grant]:
        """All grants of the stack."""
        shared = [(_holder(None, rule), rule) for rules in self._shared.values() for rule in rules]
        held = [(r.logical_id, rule) for r in self._roles.values() for rule in r.rules]
        return frozenset(self._grant(*g) for g in [*held, *shared] if g[1].effect == "Allow")

    def refused(self) -> list[str]:
        """Return the reasons of refusals, one for each caller and action."""
        return list(self._refused.copy().values())

    def events(self, rule_arn: str) -> Service | None:
        """Return EventBridge as the service that acts for a rule; None for a person's rule.

        A person may do everything, and so may a rule that she makes.
        """
        return Service(EVENTS, rule_arn) if rule_arn in self._rules else None

    def allows(self, who: Principal, access: Access) -> bool:
        """Whether a caller may have an access; see `check`."""
        try:
            self.check(who, access)
        except DeniedError:
            return False
        return True

    def check(self, who: Principal, access: Access) -> None:
        """Let an access pass, and note the grant that allows it.

        Raises:
            DeniedError: the access is not allowed; the refusal is noted too.
        """
        if who is None:
            return
        asked = Access(access.action, access.resource, {**ALWAYS, **access.context})
        if isinstance(who, Service):
            account = self.place.account
            acting = {"aws:sourcearn": (who.source,), "aws:sourceaccount": (account,)}
            asked = Access(asked.action, asked.resource, {**asked.context, **acting})
        held = self._held_by(who, access.action)
        decision = decide([*held, *self._shared_with(who, access.resource)], asked)
        if decision.rule is None or not decision.is_allowed:
            said = self._said(who, access, decision.rule)
            self.note(who, access.action, f"AccessDenied: {said}")
            raise DeniedError(said)
        self._used.add((_holder(who, decision.rule), decision.rule))

    def note(self, who: Principal, action: str, why: str) -> None:
        """Note that an action was refused to a caller, with the reason of the first time."""
        asking = who.role or who.name if isinstance(who, Session) else str(who and who.name)
        self._refused.setdefault((asking, action), why)

    def _held_by(self, who: Principal, action: str) -> tuple[Rule, ...]:
        """Return the rules of a session's role that may be about an action."""
        if not isinstance(who, Session) or who.role not in self._roles:
            return ()
        key = (who.role, action)
        if key not in self._held:
            rules = self._roles[who.role].rules
            self._held[key] = tuple(rule for rule in rules if rule.names(action))
        return self._held[key]

    def _shared_with(self, who: Principal, resource: str) -> Iterator[Rule]:
        names = {ANYBODY, who.name} if isinstance(who, Service) else {ANYBODY}
        for rule in self._shared.get(_holding(resource), ()):
            if names & (rule.principals or frozenset()):
                yield rule

    def _said(self, who: Principal, access: Access, denying: Rule | None) -> str:
        """Return AWS's message for a refusal."""
        kind = "identity" if isinstance(who, Session) else "resource"
        if denying:
            kind = "identity" if denying.principals is None else "resource"
            why = f"with an explicit deny in a{'n' * (kind == 'identity')} {kind}-based policy"
        else:
            why = f"because no {kind}-based policy allows the {access.action} action"
        return (
            f"{self._named(who)} is not authorized to perform: {access.action} "
            f"on resource: {access.resource} {why}"
        )

    def _named(self, who: Principal) -> str:
        if isinstance(who, Session):
            role = self._roles[who.role].name if who.role in self._roles else who.role
            account = self.place.account
            return f"User: arn:aws:sts::{account}:assumed-role/{role}/{who.name}"
        return f"Service: {who.name} for {who.source}" if who else "User"

    def _grant(self, holder: str, rule: Rule) -> Grant:
        parts = rule.resource.split(":", _NAMED_AT)
        short = f"{parts[2]}:{parts[_NAMED_AT]}" if len(parts) > _NAMED_AT else rule.resource
        return Grant(holder, rule.action, short.replace(self._stack, "<stack>"))


def _holding(resource: str) -> str:
    """Return the ARN of the resource with the policy: for an object, its bucket."""
    return resource.partition("/")[0] if resource.startswith(BUCKETS) else resource


def _holder(who: Principal, rule: Rule) -> str:
    """Return the logical id of a rule's holder: for a managed policy, the role that has it."""
    if isinstance(who, Session) and rule.principals is None:
        return who.role
    return rule.place.partition(",")[0]
