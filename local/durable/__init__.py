"""Durable executions, run by AWS's own local runner, and their part of Lambda's API."""

from local.durable.api import DurableApi
from local.durable.executions import Executions

__all__ = ["DurableApi", "Executions"]
