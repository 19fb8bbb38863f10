"""CloudWatch Logs: moto keeps the lines, this package brings them."""

from local.logs.api import LogsApi
from local.logs.streams import Streams

__all__ = ["LogsApi", "Streams"]
