"""The correlation of an execution, its record and its tasks.

The key exists before the task does: it travels in RunTask's `startedBy` and comes back in every
event and in DescribeTasks, so nothing has to be stored first or read from tags.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXECUTION_ID = re.compile(r"[A-Za-z0-9_-]+")
_STARTED_BY = re.compile(
    r"(?P<stack>[A-Za-z][A-Za-z0-9-]*)"
    rf"/(?P<execution_id>{_EXECUTION_ID.pattern})"
    r"/(?P<attempt>[1-9][0-9]*)"
)
MAX_STARTED_BY = 128


def execution_id(execution_arn: str) -> str:
    """Return the last segment of a durable execution's ARN, the key of its record.

    Raises:
        ValueError: the segment holds characters that `startedBy` cannot carry.
    """
    segment = execution_arn.rpartition("/")[2]
    if not _EXECUTION_ID.fullmatch(segment):
        raise ValueError(
            f"The execution ARN {execution_arn!r} should end in /<letters, digits, '-' or '_'>."
        )
    return segment


@dataclass(frozen=True, slots=True)
class Correlation:
    """One attempt of one execution of one stack.

    Attributes:
        stack: name of the CloudFormation stack that started the task.
        execution_id: key of the record, see `execution_id`.
        attempt: number of the try at the work, from 1.
    """

    stack: str
    execution_id: str
    attempt: int

    @property
    def started_by(self) -> str:
        """`<stack>/<executionId>/<attempt>`, the request's `startedBy`.

        Raises:
            ValueError: longer than the 128 characters that ECS takes.
        """
        value = f"{self.stack}/{self.execution_id}/{self.attempt}"
        if len(value) > MAX_STARTED_BY:
            raise ValueError(f"startedBy {value!r} exceeds {MAX_STARTED_BY} characters.")
        return value

    @classmethod
    def parse(cls, started_by: str | None) -> Correlation | None:
        """Read a task's `startedBy`; None where it is not of our form."""
        match = _STARTED_BY.fullmatch(started_by or "")
        if match is None:
            return None
        return cls(match["stack"], match["execution_id"], int(match["attempt"]))


def client_token(execution_arn: str, attempt: int, launch: int) -> str:
    """Return RunTask's idempotency token for one launch: 64 hexadecimal digits.

    The same launch always gives the same token, so a request that was repeated after a timeout,
    a throttle or a crash starts no second task.
    """
    return hashlib.sha256(f"{execution_arn}\n{attempt}\n{launch}".encode()).hexdigest()


def family(task: Mapping[str, Any]) -> str:
    """Return FAMILY of a task's `arn:…:task-definition/FAMILY:REVISION`.

    A caller of RunTask can forge `startedBy`, but not the family: it says which containers run.
    """
    return str(task["taskDefinitionArn"]).rpartition("/")[2].partition(":")[0]
