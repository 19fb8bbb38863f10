"""The result of a conditional write to the record."""

from __future__ import annotations

from enum import Enum


class Write(Enum):
    """The answer of a write: only the call that gets WRITTEN counts and logs the change."""

    WRITTEN = "written by this call"
    ALREADY = "written before, by an earlier try or by somebody who meant the same"
    MOVED_ON = "refused: the record holds something else"

    @property
    def holds(self) -> bool:
        """Whether the record holds the change, from this call or an earlier one."""
        return self is not Write.MOVED_ON
