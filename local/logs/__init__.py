"""CloudWatch Logs: moto keeps the lines, they are brought here."""

from local.logs.api import LogsApi
from local.logs.host import LoggedHost
from local.logs.streams import Streams

__all__ = ["LoggedHost", "LogsApi", "Streams"]
