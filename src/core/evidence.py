"""The places to look at after a failure, and the container's last log lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG_LINES = 20
# An error's data, its record and its log line each have limits of their own; this is far below.
# Half of it takes the longest line.
MAX_BYTES = 8_192
_MAX_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence that a task leaves.

    Attributes:
        log_group: of the tasks.
        log_stream: of its main container.
        console_link: to the task, for as long as ECS shows it.
        log_tail: the last lines, at most 20; empty if they could not be read, None if they are
            nobody's to read. With those of the other container at most 8,192 bytes.
        other_log_stream: of the container beside it that ended the task, or kept it from starting,
            if there is one.
        other_log_tail: its last lines, as `log_tail`.
    """

    log_group: str
    log_stream: str
    console_link: str
    log_tail: tuple[str, ...] | None
    other_log_stream: str | None = None
    other_log_tail: tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; the keys are those of the record and the errors."""
        left = {
            "logGroup": self.log_group,
            "logStream": self.log_stream,
            "consoleLink": self.console_link,
            "logTail": _listed(self.log_tail),
            "otherLogStream": self.other_log_stream,
            "otherLogTail": _listed(self.other_log_tail),
        }
        return {name: value for name, value in left.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Rebuild evidence from its JSON form."""
        return cls(
            data["logGroup"],
            data["logStream"],
            data["consoleLink"],
            _lines(data.get("logTail")),
            data.get("otherLogStream"),
            _lines(data.get("otherLogTail")),
        )


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


def shared(main: Sequence[str], other: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the last lines of two containers: half of the room each, and what the other leaves."""
    beside = shortened(other, MAX_BYTES - _size(shortened(main, MAX_BYTES // 2)))
    return shortened(main, MAX_BYTES - _size(beside)), beside


def shortened(lines: Sequence[str], room: int = MAX_BYTES) -> tuple[str, ...]:
    """Return the last lines that fit the limits, each cut to 1,000 characters."""
    kept: list[str] = []
    left = room
    for line in reversed(lines[-LOG_LINES:]):
        cut = line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}…"
        left -= _size([cut])
        if left < 0:
            break
        kept.append(cut)
    return tuple(reversed(kept))


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode(errors="replace")) for line in lines)


def _listed(lines: Sequence[str] | None) -> list[str] | None:
    return None if lines is None else list(lines)


def _lines(listed: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(listed)


def _task_id(task_arn: str) -> str:
    return task_arn.rpartition("/")[2]
