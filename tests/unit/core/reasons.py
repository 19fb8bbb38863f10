"""The words of AWS, registries and networks when a task does not start, by their cause."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Below each cause's name its reasons, one a line.
_TEXT = Path(__file__).with_suffix(".txt").read_text()
REASONS: Mapping[str, tuple[str, ...]] = {
    name: tuple(reasons)
    for name, *reasons in (part.splitlines() for part in _TEXT.removeprefix("# ").split("\n# "))
}
# Nothing is known of these: a start that failed with one of them is not repeated.
UNKNOWN = ("geofence", "Task failed to start", "the agent said no", "")
_PULL = "CannotPullContainerError: failed to resolve ref registry.example.com/acme/worker"
# Reasons with a word of another cause: within a name, an address or a wrapper.
MISLEADING: Mapping[str, tuple[str, ...]] = {
    "no way out": (
        f"{_PULL}:403: dial tcp 192.0.2.9:443: i/o timeout",
        f"{_PULL}-404:1: dial tcp 192.0.2.9:443: i/o timeout",
    ),
    "function not allowed": (
        "User: assumed-role/pull-image-SyncRole/x is not authorized to perform: ecs:RunTask",
    ),
    "log group missing": ("logging driver: the log group /ecs/efs-sync does not exist",),
    "too busy": ("unable to retrieve secret from asm: TooManyRequestsException",),
    "command not found": ('starting container process caused: exec: "agent": no such file',),
    "pull refused": (f"{_PULL}: unexpected status code https://registry/500/blobs: 403",),
}
