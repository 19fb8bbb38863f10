"""IAM's wildcards: `*` is any text, `?` is any one character."""

from __future__ import annotations

import re
from functools import cache

_ARN_PARTS = 6


def is_action(pattern: str, action: str) -> bool:
    """Whether an action is among those of a policy's pattern; case does not matter."""
    return _glob(pattern.lower()).fullmatch(action.lower()) is not None


def is_resource(pattern: str, arn: str) -> bool:
    """Whether a resource is among those of a policy's pattern.

    Colons divide an ARN into parts. A `*` at the end of a part reaches into the following parts.
    Any other one stays in its part.
    """
    return _resource(pattern).fullmatch(arn) is not None


def is_arn_like(pattern: str, arn: str) -> bool:
    """Whether an ARN is like a pattern, each of its six parts on its own."""
    parts = arn.split(":", _ARN_PARTS - 1)
    wanted = pattern.split(":", _ARN_PARTS - 1)
    return len(parts) == len(wanted) == _ARN_PARTS and all(
        _glob(form).fullmatch(part) for form, part in zip(wanted, parts, strict=True)
    )


def is_arn(text: str) -> bool:
    """Whether a text has an ARN's form."""
    return text.startswith("arn:") and text.count(":") >= _ARN_PARTS - 1


@cache
def _resource(pattern: str) -> re.Pattern[str]:
    inside = [re.sub(r"\\\*(?=.)", "[^:]*", re.escape(part)) for part in pattern.split(":")]
    parts = (re.sub(r"\\\*$", ".*", part).replace(r"\?", "[^:]") for part in inside)
    return re.compile(":".join(parts), re.DOTALL)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    form = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(form, re.DOTALL)
