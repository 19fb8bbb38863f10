"""CloudWatch Logs: moto keeps the lines, they are brought here."""

from local.logs.api import LogsApi
from local.logs.streams import Streams

__all__ = ["LogsApi", "Streams"]
