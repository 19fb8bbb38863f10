"""The containers beside the main one: which of them ended the task, or kept it from starting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The exit codes of a process that was killed or told to end: by ECS, once the task is to stop.
SIGKILL, SIGTERM = 137, 143
OUT_OF_MEMORY = re.compile(r"outofmemory|out of memory|\boom\b", re.IGNORECASE)
# ECS's words for a container that never ran. A container that ECS could not stop has run; one that
# ECS could not inspect may have.
NOT_LOOKED_AT = re.compile(r"Cannot(?:Inspect|Describe)\w*Error", re.IGNORECASE)
NEVER_RAN = re.compile(
    r"Cannot(?!Stop|Kill|Inspect|Describe)\w*Error|ResourceInitializationError|(?:Docker|ContainerRuntime)"
    r"TimeoutError: Could not transition to (?:created|started|running)\b",
    re.IGNORECASE,
)
# The agent's words for a container that others waited for: `[init (STOPPED->RUNNING) - Exit: 1]`.
_DEPENDENCY = re.compile(r"\[(?P<name>[\w-]+) \(")
_MAX_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherContainer:
    """The end of a container beside the main one.

    Attributes:
        name: its name, as in the task definition.
        exit_code: its exit code; None if it has never run.
        reason: the reason in ECS's words, at most 300 characters.
    """

    name: str
    exit_code: int | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """Its end in words, without a full stop."""
        # The name of an image that could not be pulled may hold these words.
        if OUT_OF_MEMORY.search(self.reason) and not NEVER_RAN.match(self.reason):
            return f"{self.name} ran out of memory"
        if self.exit_code is None:
            return f"{self.name} could not be started"
        return f"{self.name} exited with {self.exit_code}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`."""
        return {"name": self.name, "exitCode": self.exit_code, "reason": self.reason}

    @classmethod
    def from_dict(cls, data: object) -> OtherContainer | None:
        """Rebuild it from its JSON form, of any version; None for anything else."""
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            return None
        code = data.get("exitCode")
        return cls(
            name=data["name"],
            # An exit code that is no number, from another version, is dropped alone.
            exit_code=int(code) if isinstance(code, (int, Decimal)) else None,
            reason=str(data.get("reason") or ""),
        )


def ended_by(containers: Sequence[Mapping[str, Any]], main: str) -> OtherContainer | None:
    """Return the container that most likely ended a task, or kept its main one from starting.

    ECS does not say which containers are essential. The first of these counts: a container that the
    main one waited for; one that failed by itself; where the main one was told to end, the only one
    that finished well.

    Args:
        containers: a task's containers, as ECS shows them.
        main: name of the main container.
    """
    others = [container for container in containers if container.get("name") != main]
    own = next((container for container in containers if container.get("name") == main), {})
    named = _DEPENDENCY.findall(own.get("reason") or "")
    ended = [_read(other) for other in others]
    for group in (
        [other for other in ended if other.name in named],
        [other for other in ended if _has_failed(other)],
    ):
        if group:
            return group[0]
    # After a SIGKILL, others may have ended well because the task was to stop.
    finished = [other for other in ended if other.exit_code == 0 and own.get("exitCode") == SIGTERM]
    return finished[0] if len(finished) == 1 else None


def _read(container: Mapping[str, Any]) -> OtherContainer:
    code = container.get("exitCode")
    return OtherContainer(
        name=str(container.get("name")),
        exit_code=None if code is None else int(code),
        reason=str(container.get("reason") or "")[:_MAX_REASON],
    )


def _has_failed(other: OtherContainer) -> bool:
    """Whether it failed by itself, and not because the task was to stop."""
    if OUT_OF_MEMORY.search(other.reason):
        return True
    if other.exit_code is None:
        return bool(NEVER_RAN.match(other.reason))
    return other.exit_code not in (0, SIGKILL, SIGTERM)
