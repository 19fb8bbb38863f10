"""The RunTask request of a launch, and what its refusals mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.correlation import Correlation, client_token
from core.outcome import FailedToStart, is_transient
from core.payload import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.flow import Flow
    from core.payload import Work

MAX_OVERRIDES = 8_192
PublicIp = Literal["ENABLED", "DISABLED"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where tasks run.

    Attributes:
        family: task definition family; its latest revision runs, so that a retry after a
            deployment does not ask for a revision that the deployment retired.
        container: name of the main container.
        table: the records table, told to containers that have something to write there.
        public_ip: whether tasks get one, their only way out of a public subnet.
    """

    cluster: str
    family: str
    container: str
    table: str
    subnets: Sequence[str]
    security_groups: Sequence[str]
    public_ip: PublicIp


@dataclass(frozen=True, slots=True)
class Started:
    """What a launch has come to.

    Attributes:
        task_arn: the task.
        begun_at: when its attempt began, ISO 8601 UTC.
        deadline: when its attempt is overdue, ISO 8601 UTC.
    """

    task_arn: str
    begun_at: str
    deadline: str

    def to_dict(self) -> dict[str, Any]:
        """JSON form, read back by `from_dict`."""
        return {"taskArn": self.task_arn, "begunAt": self.begun_at, "deadline": self.deadline}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Started:
        """Rebuild a started task from its JSON form."""
        return cls(data["taskArn"], data["begunAt"], data["deadline"])


@dataclass(frozen=True, slots=True)
class Launch:
    """One RunTask request within an attempt; equal launches make equal requests.

    Attributes:
        ticket: of the attempt, as its record holds it; None where the container has no record to
            write to, or a worker has spoilt it.
    """

    execution_arn: str
    correlation: Correlation
    number: int
    flow: Flow
    work: Work
    ticket: str | None = None

    @property
    def token(self) -> str:
        """RunTask's clientToken."""
        return client_token(self.execution_arn, self.correlation.attempt, self.number)

    def request(self, place: Place) -> dict[str, Any]:
        """Return RunTask's parameters.

        Raises:
            InvalidRequestError: the overrides exceed the 8,192 characters that ECS takes.
        """
        overrides = {"containerOverrides": [self._container(place)]}
        size = len(json.dumps(overrides))
        if size > MAX_OVERRIDES:
            spare = MAX_OVERRIDES - size + len(json.dumps(self.work.message))
            raise InvalidRequestError(
                "message", self.work.message, f"at most {spare} characters when written as JSON"
            )
        return {
            "cluster": place.cluster,
            "taskDefinition": place.family,
            "launchType": "FARGATE",
            "count": 1,
            "startedBy": self.correlation.started_by,
            "clientToken": self.token,
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(place.subnets),
                    "securityGroups": list(place.security_groups),
                    "assignPublicIp": place.public_ip,
                }
            },
            "overrides": overrides,
        }

    def _container(self, place: Place) -> dict[str, Any]:
        environment = {
            "EXECUTION_ID": self.correlation.execution_id,
            "EXECUTION_FLOW": self.flow.value,
            "EXECUTION_ATTEMPT": str(self.correlation.attempt),
            "MESSAGE": self.work.message,
            "PROCESSING_TIME": str(self.work.processing_time),
        }
        if self.flow.takes_result:
            environment["RECORD_TABLE"] = place.table
            if self.ticket:
                environment["EXECUTION_TICKET"] = self.ticket
        if self.work.simulate:
            environment["SIMULATE"] = json.dumps({"exitCode": self.work.simulate.exit_code})
        pairs = [{"name": name, "value": value} for name, value in environment.items()]
        return {"name": place.container, "environment": pairs}


def refused(failures: Sequence[Mapping[str, Any]]) -> FailedToStart:
    """Return the outcome of a RunTask that answered with `failures[]` and no task."""
    reasons = [": ".join(filter(None, (f.get("reason"), f.get("detail")))) for f in failures]
    detail = "; ".join(filter(None, reasons)) or "RunTask returned neither a task nor a reason."
    return FailedToStart(detail=detail, transient=is_transient(detail))
