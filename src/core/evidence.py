"""Where to look after a failure, and what the container said last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG_LINES = 20
# An error's data, its record and its log line each have limits of their own; this is far below.
MAX_BYTES = 8_000
_MAX_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is left of a task.

    Attributes:
        log_group: of the tasks.
        log_stream: of its main container.
        console_link: to the task, for as long as ECS shows it.
        log_tail: the last lines, at most 20 and 8,000 bytes; empty if they could not be read, None
            if they are nobody's to read.
    """

    log_group: str
    log_stream: str
    console_link: str
    log_tail: tuple[str, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; the keys are those of the record and the errors."""
        places = {
            "logGroup": self.log_group,
            "logStream": self.log_stream,
            "consoleLink": self.console_link,
        }
        return places if self.log_tail is None else {**places, "logTail": list(self.log_tail)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Rebuild evidence from its JSON form."""
        tail = data.get("logTail")
        lines = None if tail is None else tuple(tail)
        return cls(data["logGroup"], data["logStream"], data["consoleLink"], lines)


def log_stream(prefix: str, container: str, task_arn: str) -> str:
    """Return the stream to which the awslogs driver writes a container's output."""
    return f"{prefix}/{container}/{_task_id(task_arn)}"


def console_link(task_arn: str) -> str:
    """Return the address of a task in the AWS console.

    Args:
        task_arn: `arn:…:ecs:REGION:ACCOUNT:task/CLUSTER/ID`.
    """
    region, cluster = task_arn.split(":")[3], task_arn.split("/")[-2]
    place = f"https://{region}.console.aws.amazon.com/ecs/v2/clusters/{cluster}"
    return f"{place}/tasks/{_task_id(task_arn)}/configuration?region={region}"


def shortened(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines that fit the limits, each cut to 1,000 characters."""
    kept: list[str] = []
    left = MAX_BYTES
    for line in reversed(lines[-LOG_LINES:]):
        cut = line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}…"
        left -= len(cut.encode(errors="replace"))
        if left < 0:
            break
        kept.append(cut)
    return tuple(reversed(kept))


def _task_id(task_arn: str) -> str:
    return task_arn.rpartition("/")[2]
