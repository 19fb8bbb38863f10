"""The RunTask request of a launch, and what its refusals mean."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.capacity import LaunchCapacity
from core.correlation import Correlation, client_token
from core.data import result_prefix
from core.job import OtherVersionsJobError
from core.outcome import FailedToStart, is_transient
from core.reported import TICKET_RESERVE
from core.trace import TRACE_RESERVE, TraceHeader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.flow import Flow
    from core.job import Job
    from core.network import Network
    from core.record import Record

MAX_OVERRIDES = 8_192
_CAPACITY: Mapping[LaunchCapacity, Mapping[str, Any]] = {
    LaunchCapacity.ON_DEMAND: {"launchType": "FARGATE"},
    LaunchCapacity.SPOT: {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]},
}


class Variable(StrEnum):
    """The container's variables that the request itself sets, whatever its job says."""

    EXECUTION_ID = "EXECUTION_ID"
    EXECUTION_FLOW = "EXECUTION_FLOW"
    EXECUTION_ATTEMPT = "EXECUTION_ATTEMPT"
    EXECUTION_TICKET = "EXECUTION_TICKET"
    RECORD_TABLE = "RECORD_TABLE"
    INPUT = "INPUT"
    INPUT_URI = "INPUT_URI"
    RESULT_URI = "RESULT_URI"
    # The name by which Lambda tells a trace to its functions: tools for tracing and logs read it.
    TRACE = "_X_AMZN_TRACE_ID"


@dataclass(frozen=True, slots=True)
class Place:
    """The place where tasks run; known at the launch alone.

    Attributes:
        table: the records table, told to containers that have something to write there.
        bucket: the data bucket, where these containers leave what is too large for it.
        network: today's, whenever the execution began.
    """

    cluster: str
    table: str
    bucket: str
    network: Network


@dataclass(frozen=True, slots=True)
class Started:
    """The task that a launch has started.

    Attributes:
        task_arn: the task.
        container: name of its main container.
        begun_at: when its attempt began, ISO 8601 UTC.
        deadline: when its attempt is overdue, ISO 8601 UTC.
    """

    task_arn: str
    container: str
    begun_at: str
    deadline: str

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`."""
        return {
            "taskArn": self.task_arn,
            "container": self.container,
            "begunAt": self.begun_at,
            "deadline": self.deadline,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Started:
        """Rebuild a started task from its JSON form."""
        return cls(data["taskArn"], data["container"], data["begunAt"], data["deadline"])

    @classmethod
    def of(cls, record: Record, task_arn: str) -> Started:
        """Return what a record says of its attempt's task."""
        return cls(task_arn, record.job.container, record.begun_at, record.deadline)


@dataclass(frozen=True, slots=True)
class Launch:
    """One RunTask request within an attempt; equal launches make equal requests.

    Attributes:
        job: what runs, as the record holds it.
        ticket: of the attempt, as its record holds it; None where the container has no record to
            write to, or a worker has spoilt it.
        capacity: as its record holds it.
        trace: the execution's, as its record holds it; None where it has none.
    """

    execution_arn: str
    correlation: Correlation
    number: int
    flow: Flow
    job: Job
    ticket: str | None = None
    capacity: LaunchCapacity = LaunchCapacity.ON_DEMAND
    trace: TraceHeader | None = None

    @property
    def token(self) -> str:
        """RunTask's clientToken."""
        return client_token(self.execution_arn, self.correlation.attempt, self.number)

    def stored(self, record: Record) -> Launch:
        """Return the launch that a record of the attempt holds, whichever try has put it there."""
        return replace(
            self,
            number=record.launch,
            job=record.job,
            ticket=record.ticket,
            capacity=record.capacity or self.capacity,
            trace=TraceHeader.parse(record.trace_header),
        )

    def request(self, place: Place) -> dict[str, Any]:
        """Return RunTask's parameters.

        Raises:
            OtherVersionsJobError: only another version knows what is to run.
        """
        if not self.job.is_whole:
            raise OtherVersionsJobError(
                f"The job of {self.correlation.execution_id!r} was stored by another version of "
                "the stack, which alone can launch it."
            )
        return {
            "cluster": place.cluster,
            "taskDefinition": self._definition,
            **_CAPACITY[self.capacity],
            "count": 1,
            "startedBy": self.correlation.started_by,
            "clientToken": self.token,
            # The stack's tags reach what its tasks cost.
            "propagateTags": "TASK_DEFINITION",
            "enableECSManagedTags": True,
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(place.network.subnets),
                    "securityGroups": list(place.network.security_groups),
                    "assignPublicIp": place.network.public_ip,
                }
            },
            "overrides": self._overrides(place.table, place.bucket),
            **({"tags": _pairs(self.job.tags, "key")} if self.job.tags else {}),
        }

    def excess(self, table: str, bucket: str, attempts: int) -> int:
        """Return by how many characters the overrides exceed the 8,192 that ECS takes; 0 at least.

        They are counted as written in ASCII JSON, which is the longest that they can be, of
        whichever attempt has the longest, with any ticket and any trace.

        Args:
            table: the records table.
            bucket: the data bucket.
            attempts: how many there may be.
        """
        correlations = (replace(self.correlation, attempt=n) for n in range(1, attempts + 1))
        reserve = replace(self, ticket=TICKET_RESERVE, trace=TRACE_RESERVE)
        each = (replace(reserve, correlation=correlation) for correlation in correlations)
        longest = max(len(json.dumps(one._overrides(table, bucket))) for one in each)  # noqa: SLF001 - of this class
        return max(longest - MAX_OVERRIDES, 0)

    @property
    def _definition(self) -> str:
        job = self.job
        return job.family if job.revision is None else f"{job.family}:{job.revision}"

    def _overrides(self, table: str, bucket: str) -> dict[str, Any]:
        job, attempt = self.job, self.correlation.attempt
        sizes = {"cpu": job.cpu_of(attempt), "memory": job.memory_of(attempt)}
        storage = job.ephemeral_storage
        return {
            "containerOverrides": [self._container(table, bucket)],
            **{name: str(size) for name, size in sizes.items() if size},
            **({"ephemeralStorage": {"sizeInGiB": storage}} if storage else {}),
        }

    def _container(self, table: str, bucket: str) -> dict[str, Any]:
        job = self.job
        pairs = _pairs({**job.environment, **self._variables(table, bucket)}, "name")
        own = {"command": list(job.command), "memory": job.memory_of(self.correlation.attempt)}
        set_here = {name: value for name, value in own.items() if value}
        return {"name": job.container, "environment": pairs, **set_here}

    def _variables(self, table: str, bucket: str) -> dict[str, str]:
        variables = {
            Variable.EXECUTION_ID: self.correlation.execution_id,
            Variable.EXECUTION_FLOW: self.flow.value,
            Variable.EXECUTION_ATTEMPT: str(self.correlation.attempt),
            Variable.TRACE: self.trace.text() if self.trace else None,
            Variable.INPUT: self.job.input,
            Variable.INPUT_URI: self.job.input_uri,
        }
        if self.flow.takes_result:
            variables |= {Variable.RECORD_TABLE: table, Variable.EXECUTION_TICKET: self.ticket}
            variables |= {Variable.RESULT_URI: self._result_uri(bucket)}
        return {name.value: value for name, value in variables.items() if value is not None}

    def _result_uri(self, bucket: str) -> str | None:
        if self.ticket is None:
            return None
        execution_id, attempt = self.correlation.execution_id, self.correlation.attempt
        return result_prefix(bucket, execution_id, attempt, self.ticket)


def _pairs(values: Mapping[str, str], name: str) -> list[dict[str, str]]:
    """Return a map as ECS takes it, in one order."""
    # DynamoDB keeps it in any order; another order would be another request to ECS.
    return [{name: key, "value": values[key]} for key in sorted(values)]


def refused(failures: Sequence[Mapping[str, Any]]) -> FailedToStart:
    """Return the outcome of a RunTask that answered with `failures[]` and no task."""
    reasons = [": ".join(filter(None, (f.get("reason"), f.get("detail")))) for f in failures]
    detail = "; ".join(filter(None, reasons)) or "RunTask returned neither a task nor a reason."
    return FailedToStart(detail=detail, transient=is_transient(detail))
