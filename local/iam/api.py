"""IAM's API: moto answers it, for an account that has used ECS before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from local.stack import Stack

_ECS, _ROLE = "ecs.amazonaws.com", "AWSServiceRoleForECS"


class IamApi:
    """Makes ECS's service-linked role, which Fargate here does not need."""

    def __init__(self, stack: Stack) -> None:
        self._account = stack.account
        self._lock = threading.Lock()

    def __call__(self, _request: Request, _operation: str) -> None:
        """Leave every operation to moto."""
        # The import takes long, and calls to IAM are rare.
        from moto.iam.models import (  # noqa: PLC0415 - takes a while, seldom needed
            SERVICE_NAME_CONVERSION,
            iam_backends,
        )

        # moto would write the role's name in lower case.
        SERVICE_NAME_CONVERSION.setdefault("ecs", "ECS")
        kept = iam_backends[self._account]["aws"]
        with self._lock:
            if not any(role.name == _ROLE for role in kept.roles.values()):
                kept.create_service_linked_role(_ECS, "", "")
