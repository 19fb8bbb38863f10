"""The start of an execution, as the runner takes it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast

from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.functions import Configuration
    from local.xray import Trace

_TRACE = "trace"


def start_of(
    function: Configuration, version: str, payload: str, trace: Trace, name: str | None = None
) -> StartDurableExecutionInput:
    """Return the start of an execution.

    Args:
        function: a durable function.
        version: the version on which it runs to its end.
        payload: the payload, as JSON.
        trace: the trace of all its invocations.
        name: the execution's name; None for a new one.
    """
    durable = function.properties["DurableConfig"]
    return StartDurableExecutionInput(
        account_id=function.arn.split(":")[4],
        function_name=function.name,
        function_qualifier=version,
        execution_name=name or str(uuid.uuid4()),
        execution_timeout_seconds=int(durable["ExecutionTimeout"]),
        execution_retention_period_days=int(durable["RetentionPeriodInDays"]),
        invocation_id=str(uuid.uuid4()),
        input=payload,
        trace_fields={_TRACE: trace},
    )


def trace_of(fields: Mapping[str, object] | None) -> Trace:
    """Return the trace of an execution, as the runner keeps its start's fields."""
    return cast("Trace", (fields or {})[_TRACE])
