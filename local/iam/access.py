"""An access, on which IAM decides: one action on one resource, in its context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Values by the key's name in lower case, for the case of IAM's keys does not matter. A key without
# a value is absent.
Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Access:
    """One action that a caller wants to do.

    Attributes:
        action: the action, for example `dynamodb:UpdateItem`.
        resource: ARN of the resource; `*` for an action that knows no resources.
        context: the values of the condition keys that AWS fills in.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
