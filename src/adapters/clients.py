"""boto3 clients, made at the first use and kept for the life of the process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.client import BaseClient

# The limits are well below every function's timeout: a call that hangs fails alone and is retried,
# and the invocation goes on.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
)


@cache
def client(service: str, config: Config = CONFIG) -> BaseClient:
    """Return the process's client of an AWS service."""
    return boto3.client(service, config=config)
