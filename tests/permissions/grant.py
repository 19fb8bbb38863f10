"""One thing that somebody may do, or must not."""

from __future__ import annotations

from typing import NamedTuple


class Condition(NamedTuple):
    """A condition of a grant: what a request has to be like.

    Attributes:
        operator: IAM's, for example `ArnEquals`.
        key: of the request's context, for example `ecs:cluster`.
        values: those that the operator compares with.
    """

    operator: str
    key: str
    values: frozenset[str]


class Grant(NamedTuple):
    """One action on one resource.

    Attributes:
        holder: whose policy says so: a function's name, for its role and for who may invoke it; one
            of the task's two roles; a queue's name.
        action: IAM's name of it.
        resource: an ARN or a pattern; empty where a role's trust is meant.
        conditions: all of which must hold.
        principal: who is meant, empty for the holder of a role.
        effect: `Allow` or `Deny`.
    """

    holder: str
    action: str
    resource: str
    conditions: frozenset[Condition] = frozenset()
    principal: str = ""
    effect: str = "Allow"

    def __str__(self) -> str:
        """Return the grant as a line for people."""
        whom = f" for {self.principal}" if self.principal else ""
        where = f" on {self.resource}" if self.resource else ""
        asked = (f"{c.operator} {c.key} {' '.join(sorted(c.values))}" for c in self.conditions)
        when = " if ".join(["", *sorted(asked)])
        return f"{self.holder}: {self.effect}{whom} {self.action}{where}{when}"
