"""The functions' environment, read once and typed; template.yaml sets it."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cache
from typing import Literal, Self

import msgspec

from core.job import Job
from core.work import Terms


class Settings(msgspec.Struct, frozen=True, rename="upper"):
    """The settings of every function.

    Attributes:
        data_bucket: name of the bucket of inputs and results.
        task_log_prefix: prefix of the streams in the tasks' log group.
        log_tail: whether errors carry the last lines of a container's log.
    """

    stack_name: str
    cluster_arn: str
    table_name: str
    data_bucket: str
    record_retention_days: int
    task_log_group: str
    task_log_prefix: str
    log_tail: Literal["yes", "no"]

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the process's settings.

        Raises:
            msgspec.ValidationError: names the variable that is missing or malformed.
        """
        return msgspec.convert(dict(os.environ), cls, strict=False)

    @property
    def retention(self) -> timedelta:
        """How long a record is kept after its close."""
        return timedelta(days=self.record_retention_days)


class OrchestratorSettings(Settings, frozen=True, rename="upper"):
    """The settings of the durable functions.

    Attributes:
        task_family: family of the stack's own task definition.
        container_name: name of the main container in it.
        network_parameter: name of the parameter of Systems Manager that holds the tasks' network.
        execution_timeout: the durable functions' ExecutionTimeout, in seconds.
        data_retention_days: days for which the bucket keeps an object.
    """

    task_family: str
    container_name: str
    network_parameter: str
    execution_timeout: int
    data_retention_days: int

    @property
    def terms(self) -> Terms:
        """The terms that are the same for every payload."""
        return Terms(
            self.stack_name,
            self.execution_timeout,
            self.data_bucket,
            self.data_retention_days,
            Job(self.task_family, self.container_name),
        )


class TaskStateSettings(Settings, frozen=True, rename="upper"):
    """The settings of the task-state function."""

    idempotency_table: str
