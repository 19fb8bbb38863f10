"""The surroundings that every part of the local system shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.iam import Access
from local.iam.requests import log_stream
from local.journal import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import Clock
    from local.gateway import Callers
    from local.iam.authority import Authority, Session
    from local.journal import Journal
    from local.logs import Streams
    from local.metrics import Metrics
    from local.stack import Stack
    from local.xray import Traces


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The stack, and the time and the place in which it runs.

    Attributes:
        clock: the time that passes for Fargate, Lambda and EventBridge.
        calendar: the time that functions read, and that passes for durable executions.
        machine: the time in which code runs here, by which it may take too long.
        endpoint: URL that answers for all of AWS.
        callers: makes the credentials by which a process is known.
        logs: takes the lines that processes print.
        metrics: takes the metrics in functions' lines, and counts their invocations.
        authority: decides what functions and workers may do.
        traces: takes Lambda's segments of invocations.
        daemon: address of the X-Ray daemon that functions send to.
    """

    stack: Stack
    clock: Clock
    calendar: Clock
    machine: Clock
    journal: Journal
    endpoint: str
    callers: Callers
    logs: Streams
    metrics: Metrics
    authority: Authority
    traces: Traces
    daemon: str

    def writer(
        self, who: Session, group: str, stream: str, source: str, *, counts: bool = False
    ) -> Callable[[str], None]:
        """Return a function that takes a process's lines, for a log stream and for the journal.

        Without the permission to write to the stream, the lines are in no stream, as in AWS.

        Args:
            who: the writer.
            group: the log group of the stream.
            stream: the stream's name.
            source: the journal's name for the process.
            counts: whether metrics are taken from the stream's lines.
        """
        arn = log_stream(group, stream, self.authority.place)
        is_kept = all(
            self.authority.allows(who, Access(action, arn))
            for action in ("logs:CreateLogStream", "logs:PutLogEvents")
        )

        def line(text: str) -> None:
            if is_kept:
                self.logs.write(group, stream, text)
                if counts:
                    self.metrics.take(text)
            self.journal.write(Line(source, text))

        return line

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables with which a process finds its AWS."""
        return {
            "AWS_REGION": self.stack.region,
            "AWS_DEFAULT_REGION": self.stack.region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }
