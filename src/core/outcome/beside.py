"""The containers beside the main one: which of them ended the task, or kept it from starting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A process that was killed, or told to end: by ECS, once the task is to stop.
SIGKILL, SIGTERM = 137, 143
OUT_OF_MEMORY = re.compile(r"outofmemory|out of memory|\boom\b", re.IGNORECASE)
# How ECS says that a container never ran. One that it could not stop has run; one that it could not
# look at may have.
NOT_LOOKED_AT = re.compile(r"Cannot(?:Inspect|Describe)\w*Error", re.IGNORECASE)
NEVER_RAN = re.compile(
    r"Cannot(?!Stop|Kill|Inspect|Describe)\w*Error|ResourceInitializationError|(?:Docker|ContainerRuntime)"
    r"TimeoutError: Could not transition to (?:created|started|running)\b",
    re.IGNORECASE,
)
# A container as the agent tells of what others waited for: `[init (STOPPED->RUNNING) - Exit: 1]`.
_DEPENDENCY = re.compile(r"\[(?P<name>[\w-]+) \(")
_MAX_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherContainer:
    """The end of a container beside the main one.

    Attributes:
        name: as in the task definition.
        exit_code: its own; None if it has never run.
        reason: in ECS's words, at most 300 characters.
    """

    name: str
    exit_code: int | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """Its end in words, without a full stop."""
        # The image that could not be pulled may be called like it.
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
        """Rebuild it from its JSON form, that of another version too; None for what is none."""
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            return None
        code = data.get("exitCode")
        return cls(
            name=data["name"],
            # A code of another version that is no number costs no more than itself.
            exit_code=int(code) if isinstance(code, (int, Decimal)) else None,
            reason=str(data.get("reason") or ""),
        )


def ended_by(containers: Sequence[Mapping[str, Any]], main: str) -> OtherContainer | None:
    """Return the container that most likely ended a task, or kept its main one from starting.

    Which containers are essential, ECS does not tell. So it is the one that the main container
    waited for, else one that failed by itself, else, where somebody told the main one to end, the
    only one that came to its own end.

    Args:
        containers: a task's, as ECS tells of them.
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
