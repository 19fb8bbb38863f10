"""template.yaml as the local system deploys it."""

from local.stack.stack import ACCOUNT, REGION, Stack

__all__ = ["ACCOUNT", "REGION", "Stack"]
