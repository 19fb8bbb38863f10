"""An access, on which IAM decides: one action on one resource, and its context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# By the key's name in lower case, for IAM's names of keys have no case. A key without a value is
# absent.
Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that somebody wants to do.

    Attributes:
        action: such as `dynamodb:UpdateItem`.
        resource: its ARN; `*` for an action that knows no resources.
        context: the values of the condition keys that AWS fills in.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
