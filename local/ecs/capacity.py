"""The capacity that tasks run on: Fargate's, or that of a provider that a strategy names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.ecs.refusal import invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ON_DEMAND, SPOT = "FARGATE", "FARGATE_SPOT"
NO_ROOM = (
    "Capacity is unavailable at this time. Please try again later or in a different "
    "availability zone"
)
_BOTH = (
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one "
    "and try again."
)
_NOT_ASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not "
    "associated with the cluster. Associate the capacity provider with the cluster or specify a "
    "valid capacity provider and try again."
)


def provider(request: Mapping[str, Any]) -> str | None:
    """Return the capacity provider that gets a strategy's first task; None without a strategy.

    Args:
        request: RunTask's parameters.
    """
    by_share = sorted(
        request.get("capacityProviderStrategy") or [],
        key=lambda item: (-item.get("base", 0), -item.get("weight", 0)),
    )
    return by_share[0]["capacityProvider"] if by_share else None


def check_strategy(request: Mapping[str, Any], associated: Collection[str]) -> None:
    """Let a request pass if its tasks may run on the capacity that it names.

    Args:
        request: RunTask's parameters.
        associated: the cluster's capacity providers.

    Raises:
        ApiError: the request names a launch type too, or a provider that the cluster does not have.
    """
    named = {item["capacityProvider"] for item in request.get("capacityProviderStrategy") or ()}
    if named and "launchType" in request:
        raise invalid(_BOTH)
    if not named.issubset(associated):
        raise invalid(_NOT_ASSOCIATED)
