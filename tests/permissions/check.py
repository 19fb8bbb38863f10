"""How a template differs from what docs/permissions.md lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.permissions.page import listed
from tests.permissions.policies import UnreadError, granted
from tests.template import named_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.permissions.grant import Grant

IMAGES = ("", "example/worker:1")
_EXEMPLAR = "-eventbridge-function"


def differences(template: Mapping[str, Any], *, added: str = "") -> list[str]:
    """Return what a translated template grants beside the page, and what it does not grant.

    Both are looked at with either kind of worker image.

    Args:
        template: its intrinsic functions still in place.
        added: the end of the name of a function beside the others, which has, by the page, the
            grants of the EventBridge flow's.
    """
    found: dict[str, None] = {}
    for image in IMAGES:
        stack = named_stack(template, WorkerImage=image)
        expected = listed(stack, own_image=bool(image))
        if added:
            expected |= {_like(grant, added) for grant in expected}
        try:
            actual = granted(stack)
        except UnreadError as error:
            return [f"not read: {error}"]
        for what, grants in (
            ("granted, not listed", actual - expected),
            ("listed, not granted", expected - actual),
        ):
            found |= dict.fromkeys(f"{what}: {grant}" for grant in sorted(map(str, grants)))
    return list(found)


def _like(grant: Grant, added: str) -> Grant:
    """Return what a grant is for the added function, where it is one of or on its exemplar."""
    return grant._replace(
        holder=grant.holder.replace(_EXEMPLAR, added),
        resource=grant.resource.replace(_EXEMPLAR, added),
    )
