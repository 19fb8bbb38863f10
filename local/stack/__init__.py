"""template.yaml as the local system deploys it."""

from local.stack.stack import Stack

__all__ = ["Stack"]
