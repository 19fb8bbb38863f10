"""Functions and workers on threads of this process: less like AWS, and much faster."""

from local.inprocess.host import ThreadHost
from local.inprocess.transport import Transport

__all__ = ["ThreadHost", "Transport"]
