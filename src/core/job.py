"""The job: a value that the first try stores with the record, and that later looks read."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the fields' types
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from core.size import least_cpu

_Name = Annotated[str, Meta(min_length=1)]
_Amount = Annotated[int, Meta(ge=1)]


class OtherVersionsJobError(ValueError):
    """The job has fields that only another version knows, so this version cannot launch it."""


class Capacity(StrEnum):
    """The kinds of Fargate's capacity that a job's tasks may run on."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"
    SPOT_THEN_ON_DEMAND = "SPOT_THEN_ON_DEMAND"


@dataclass(frozen=True, slots=True)
class Job:
    """The work of a container, in ECS's words; a field left out is the task definition's own.

    Attributes:
        family: task definition family; its latest revision runs, so that a retry after a
            deployment does not ask for a revision that the deployment retired.
        container: name of the main container.
        revision: revision of the task definition; None for the latest.
        command: command of the main container; empty for the definition's own.
        environment: variables of the main container, beside those that the request itself sets.
        memory: MiB of the task and of its main container, by attempt; the last value holds for
            every later one.
        cpu: CPU units of the task, 1,024 for a whole one; None for the fewest that Fargate pairs
            with the memory.
        ephemeral_storage: GiB of the task.
        tags: tags of the task.
        input: JSON text that is handed to the container; None for no input, or one in S3.
        input_uri: address of the object that holds the input, `s3://BUCKET/KEY`.
        input_sha256: SHA-256 of that object's bytes, in hexadecimal digits, if the stack puts it.
        is_whole: whether every stored field is known here; only a whole job can be launched.
    """

    family: _Name
    container: _Name
    revision: _Amount | None = None
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    memory: tuple[_Amount, ...] = ()
    cpu: _Amount | None = None
    ephemeral_storage: _Amount | None = None
    capacity: Capacity = Capacity.ON_DEMAND
    tags: Mapping[str, str] = field(default_factory=dict)
    input: str | None = None
    input_uri: str | None = None
    input_sha256: str | None = None
    is_whole: bool = True

    def memory_of(self, attempt: int) -> int | None:
        """Return the MiB of an attempt, from 1; None for the definition's own."""
        return self.memory[min(attempt, len(self.memory)) - 1] if self.memory else None

    def cpu_of(self, attempt: int) -> int | None:
        """Return the CPU units of an attempt, from 1; None for the definition's own."""
        memory = self.memory_of(attempt)
        return least_cpu(memory) if self.cpu is None and memory else self.cpu

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`; defaults are left out."""
        fields = {name: getattr(self, field) for field, name in _FIELDS.items()}
        fields |= {
            "command": list(self.command),
            "environment": dict(self.environment),
            "memory": list(self.memory),
            "capacity": None if self.capacity is Capacity.ON_DEMAND else self.capacity.value,
            "tags": dict(self.tags),
        }
        return {name: value for name, value in fields.items() if value}

    @classmethod
    def from_dict(cls, data: object) -> Job:
        """Rebuild a job from its JSON form.

        A job with fields of another version is read down to family and container: a look at its
        task needs no more.

        Raises:
            msgspec.ValidationError: the data is no job.
        """
        try:
            stored = msgspec.convert(data, dict[str, Any])
            known = {field: stored[name] for field, name in _FIELDS.items() if name in stored}
            # A field that is not known here may be the one on which the work depends.
            return msgspec.convert({**known, "is_whole": len(known) == len(stored)}, cls)
        except msgspec.ValidationError:
            named = msgspec.convert(data, _Named)
            return cls(named.family, named.container, is_whole=False)


_FIELDS: Mapping[str, str] = {
    "family": "family",
    "container": "container",
    "revision": "revision",
    "command": "command",
    "environment": "environment",
    "memory": "memory",
    "cpu": "cpu",
    "ephemeral_storage": "ephemeralStorageGiB",
    "capacity": "capacity",
    "tags": "tags",
    "input": "input",
    "input_uri": "inputUri",
    "input_sha256": "inputSha256",
}


class _Named(msgspec.Struct):
    family: _Name
    container: _Name
