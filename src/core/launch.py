"""The RunTask request of a launch, and the outcome of its refusals."""

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
    # Lambda's own name for the trace header: tools for tracing and logs read it.
    TRACE = "_X_AMZN_TRACE_ID"


@dataclass(frozen=True, slots=True)
class Place:
    """The place where tasks run, read at the launch.

    Attributes:
        table: the records table; containers that write to it get its name.
        bucket: the data bucket, where these containers leave results too large for the table.
        network: today's network, however old the execution is.
    """

    cluster: str
    table: str
    bucket: str
    network: Network


@dataclass(frozen=True, slots=True)
class Started:
    """The task that a launch has started.

    Attributes:
        task_arn: ARN of the task.
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
        """Return the task of a record's attempt."""
        return cls(task_arn, record.job.container, record.begun_at, record.deadline)


@dataclass(frozen=True, slots=True)
class Launch:
    """One RunTask request within an attempt; equal launches make equal requests.

    Attributes:
        job: the record's job.
        ticket: the attempt's ticket, from the record; None where the container has no record to
            write to, or a worker has spoilt the ticket.
        capacity: the record's capacity.
        trace: the execution's trace header, from the record; None where it has none.
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
        """Return the launch that a record of the attempt holds, whichever try stored it."""
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
            OtherVersionsJobError: the job has fields that only another version knows.
        """
        if not self.job.is_whole:
            raise OtherVersionsJobError(
                f"The job of {self.correlation.execution_id!r} was stored by another version of "
                "the stack, and only that version can launch it."
            )
        return {
            "cluster": place.cluster,
            "taskDefinition": self._definition,
            **_CAPACITY[self.capacity],
            "count": 1,
            "startedBy": self.correlation.started_by,
            "clientToken": self.token,
            # The tasks carry the stack's tags, for cost allocation.
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
        """Return the number of characters above the 8,192 that ECS takes as overrides, at least 0.

        The count is that of ASCII JSON, the longest form, for the attempt with the longest
        overrides, with room for any ticket and any trace.

        Args:
            table: the records table.
            bucket: the data bucket.
            attempts: the highest number of attempts.
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
    """Return a map as ECS takes it, in a fixed order."""
    # DynamoDB keeps no order, and to ECS another order is another request.
    return [{name: key, "value": values[key]} for key in sorted(values)]


def refused(failures: Sequence[Mapping[str, Any]]) -> FailedToStart:
    """Return the outcome of a RunTask that answered with `failures[]` and no task."""
    reasons = [": ".join(filter(None, (f.get("reason"), f.get("detail")))) for f in failures]
    detail = "; ".join(filter(None, reasons)) or "RunTask returned neither a task nor a reason."
    return FailedToStart(detail=detail, transient=is_transient(detail))
