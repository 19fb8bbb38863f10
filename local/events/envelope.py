"""The form that all events have."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.stack import Stack


def envelope(
    stack: Stack,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Iterable[str] = (),
) -> dict[str, Any]:
    """Return an event of this moment.

    Args:
        stack: the stack in which it happens.
        source: the source, for example aws.ecs.
        detail_type: the type of the event.
        detail: the detail, as JSON values.
        resources: ARNs of the resources that it is about.
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": stack.account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": stack.region,
        "resources": list(resources),
        "detail": dict(detail),
    }
