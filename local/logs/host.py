"""Functions that log where Lambda would let them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container
    from local.functions import Configuration
    from local.functions.sandbox import Sandbox
    from local.gateway import Caller
    from local.hosts import Host
    from local.logs.streams import Streams


class LoggedHost:
    """Another host, whose functions' lines also go to the streams that their environment names."""

    def __init__(self, host: Host, streams: Streams) -> None:
        self._host, self._streams = host, streams
        self.concurrency = host.concurrency

    def function(
        self,
        configuration: Configuration,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
    ) -> Sandbox:
        """Start a sandbox of a function."""
        group = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"]

        def line(text: str) -> None:
            self._streams.write(group, stream, text)
            on_line(text)

        return self._host.function(configuration, environment, caller, line)

    def container(
        self, environment: Mapping[str, str], caller: Caller, on_line: Callable[[str], None]
    ) -> Container:
        """Start a task's main container."""
        return self._host.container(environment, caller, on_line)
