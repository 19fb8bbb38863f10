"""The places to look at after a failure, and the container's last log lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG_LINES = 20
# Far below the limits of an error's data, of a record and of a log line. Half of it holds the
# longest line.
MAX_BYTES = 8_192
_MAX_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence that a task leaves.

    Attributes:
        log_group: the tasks' log group.
        log_stream: the main container's log stream.
        console_link: address of the task in the AWS console, for as long as ECS shows the task.
        log_tail: the main container's last log lines, at most 20; empty if they could not be read,
            None if the stack copies none. Both tails together have at most 8,192 bytes.
        other_log_stream: log stream of the other container that ended the task, or kept it from
            starting; None where there is none.
        other_log_tail: that container's last log lines, as `log_tail`.
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
    """Return the last log lines of two containers: each has half of the room, and unused room."""
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
