"""IAM's API: moto answers it, in an account in which ECS has been used before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from local.stack import Stack

_ECS, _ROLE = "ecs.amazonaws.com", "AWSServiceRoleForECS"


class IamApi:
    """Sees to it that ECS has its service-linked role, which Fargate here has no need of."""

    def __init__(self, stack: Stack) -> None:
        self._account = stack.account
        self._lock = threading.Lock()

    def __call__(self, _request: Request, _operation: str) -> None:
        """Leave every operation to moto."""
        # Hardly anybody asks, and it takes a while.
        from moto.iam.models import (  # noqa: PLC0415 - takes a while, seldom needed
            SERVICE_NAME_CONVERSION,
            iam_backends,
        )

        # moto would write the role's name small.
        SERVICE_NAME_CONVERSION.setdefault("ecs", "ECS")
        kept = iam_backends[self._account]["aws"]
        with self._lock:
            if not any(role.name == _ROLE for role in kept.roles.values()):
                kept.create_service_linked_role(_ECS, "", "")
