"""Findings: the rules make them, and people read them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from local.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable


class Mark(StrEnum):
    """The verdict of a check."""

    FINE = "✓"
    IN_THE_WAY = "✗"
    NOT_CHECKED = "?"
    WARNING = "!"


class Check(Enum):
    """One thing that may stop a deployment; docs/troubleshooting.md has a row for each."""

    NAME = "Stack name"
    REGION = "Region"
    STACK = "Stack"
    RECORDS = "Open records"
    TAKEN = "Names"
    SAM_BUCKET = "SAM's bucket"
    ECS_ROLE = "ECS's service-linked role"
    VPCS = "VPCs"
    DURABLE = "Durable functions"
    PYTHON = "Python"
    SAM = "SAM CLI"
    AWS_CLI = "AWS CLI"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        commands: the commands that mend it.
        of: the part that was checked, where a check has several.
    """

    check: Check
    mark: Mark
    text: str
    commands: tuple[str, ...] = ()
    of: str = ""

    def __str__(self) -> str:
        """Return the finding as lines for people."""
        title = f"{self.check.value} of {self.of}" if self.of else self.check.value
        lines = [f"{self.mark} {title}: {self.text}", *(f"    {c}" for c in self.commands)]
        return printable("\n".join(lines))


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 if something is in the way, else 0."""
    return int(any(finding.mark is Mark.IN_THE_WAY for finding in findings))
