"""template.yaml as the local system deploys it."""

from local.stack.stack import Home, Stack

__all__ = ["Home", "Stack"]
