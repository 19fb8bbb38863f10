"""The error for a parameter that ECS does not take."""

from __future__ import annotations

from local.errors import ApiError


def invalid(message: str) -> ApiError:
    """Return the error for a parameter that ECS does not take."""
    return ApiError("InvalidParameterException", message)
