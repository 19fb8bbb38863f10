"""The job, a value that the first try stores with the record, and that later looks read."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the fields' types
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Name = Annotated[str, Meta(min_length=1)]
_Amount = Annotated[int, Meta(ge=1)]


class OtherVersionsJobError(ValueError):
    """A job cannot be launched by this version: another one has written what it does not know."""


class Capacity(StrEnum):
    """The kind of Fargate's capacity that a task runs on."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"


@dataclass(frozen=True, slots=True)
class Job:
    """The work of a container, in ECS's words; a field left out is the task definition's own.

    Attributes:
        family: task definition family; its latest revision runs, so that a retry after a
            deployment does not ask for a revision that the deployment retired.
        container: name of the main container.
        command: of the main container; empty for the definition's own.
        environment: variables of the main container, beside those that the request itself sets.
        memory: of the task and of its main container, in MiB.
        cpu: of the task, in CPU units, 1,024 for a whole one.
        input: any JSON value, handed to the container as JSON text; None for none.
        is_whole: whether everything that was stored has been read; only then it can be launched.
    """

    family: _Name
    container: _Name
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    memory: _Amount | None = None
    cpu: _Amount | None = None
    capacity: Capacity = Capacity.ON_DEMAND
    input: Any = None
    is_whole: bool = True

    @property
    def input_text(self) -> str | None:
        """The input as JSON text; None for none."""
        return None if self.input is None else json.dumps(self.input, separators=(",", ":"))

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`; defaults are left out.

        The input is JSON text in it: DynamoDB does not take every JSON value.
        """
        fields = {
            "family": self.family,
            "container": self.container,
            "command": list(self.command),
            "environment": dict(self.environment),
            "memory": self.memory,
            "cpu": self.cpu,
            "capacity": None if self.capacity is Capacity.ON_DEMAND else self.capacity.value,
            "input": self.input_text,
        }
        return {name: value for name, value in fields.items() if value}

    @classmethod
    def from_dict(cls, data: object) -> Job:
        """Rebuild a job from its JSON form.

        Family and container are enough of a job that another version has written: a look at its
        task needs no more.

        Raises:
            msgspec.ValidationError: it is none.
        """
        try:
            job = msgspec.convert(data, cls)
            return job if job.input is None else replace(job, input=json.loads(job.input))
        except (ValueError, TypeError, RecursionError):
            named = msgspec.convert(data, _Named)
            return cls(named.family, named.container, is_whole=False)


class _Named(msgspec.Struct):
    family: _Name
    container: _Name
