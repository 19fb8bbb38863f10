"""The runner's answers, corrected where they differ from AWS's model of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.model import EventType
from aws_durable_execution_sdk_python_testing.model import Execution as Summary

from local.durable.pause import shown_status
from local.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aws_durable_execution_sdk_python_testing.execution import Execution
    from aws_durable_execution_sdk_python_testing.executor import Executor

    from local.functions import Configuration

_PAGE = 100
_DATA = ("InputPayload", "Result", "Error")


def details(
    answer: Mapping[str, Any], arn: str, executor: Executor, *, with_data: bool
) -> dict[str, Any]:
    """Return GetDurableExecution's answer."""
    execution = executor.get_execution(arn)
    started = execution.start_input
    return {
        **{name: value for name, value in answer.items() if with_data or name not in _DATA},
        "Status": shown_status(execution, executor),
        "ExecutionDataIncluded": with_data,
        "DurableConfig": {
            "ExecutionTimeout": started.execution_timeout_seconds,
            "RetentionPeriodInDays": started.execution_retention_period_days,
        },
    }


def is_whole(answer: Mapping[str, Any]) -> bool:
    """Whether a history has all of each chained invoke's start.

    The runner stores an operation before the update that names the function.
    """
    starts = (event.get("ChainedInvokeStartedDetails") for event in answer["Events"])
    return all("FunctionName" in start for start in starts if start is not None)


def complete_history(answer: dict[str, Any], execution: Execution) -> None:
    """Fill in the members that the runner leaves out of GetDurableExecutionHistory's answer."""
    steps = {o.operation_id: o.step_details for o in execution.operations if o.step_details}
    # Each moment of the runner's clock is unique.
    invocations = {i.end_timestamp: i.to_dict() for i in list(execution.invocation_completions)}
    for event in answer["Events"]:
        for part in _parts(event):
            # The data was not asked for; the runner leaves it out at most places, not at all.
            if part.get("Truncated"):
                part.pop("Payload", None)
        if "StepSucceededDetails" in event:
            attempt = {"CurrentAttempt": steps[event["Id"]].attempt} if event["Id"] in steps else {}
            event["StepSucceededDetails"].setdefault("RetryDetails", attempt)
        if event["EventType"] == EventType.INVOCATION_COMPLETED.value:
            event["InvocationCompletedDetails"] = invocations[event["EventTimestamp"]]


def _parts(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an event's inputs, results and errors."""
    for about in event.values():
        if isinstance(about, dict):
            yield from (part for part in about.values() if isinstance(part, dict))


def executions(
    known: Iterable[Execution],
    executor: Executor,
    function: Configuration,
    qualifier: str | None,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """Return ListDurableExecutionsByFunction's answer: newest first, unless asked otherwise.

    Args:
        known: all executions.
        executor: the runner's executor, which drives them.
        function: the function whose executions are asked for.
        qualifier: the only version or alias that is asked for, if there is one.
        asked: the request's parameters.

    Raises:
        ApiError: the marker was not given out here.
    """
    found = [
        Summary.from_execution(execution, shown_status(execution, executor), execution.region or "")
        for execution in known
        if execution.start_input.function_name == function.name
        and _version_fits(execution, function, qualifier)
    ]
    fitting = [summary for summary in found if _fits(summary, asked)]
    fitting.sort(key=lambda s: s.start_timestamp, reverse=not asked.get("ReverseOrder"))
    return _page(fitting, asked.get("Marker"), asked.get("MaxItems") or _PAGE)


def _version_fits(execution: Execution, function: Configuration, qualifier: str | None) -> bool:
    version = execution.start_input.function_qualifier
    return qualifier is None or function.version(qualifier) == version


def _fits(summary: Summary, asked: Mapping[str, Any]) -> bool:
    started = summary.start_timestamp
    return (
        summary.status in asked.get("Statuses", [summary.status])
        and summary.durable_execution_name
        == asked.get("DurableExecutionName", summary.durable_execution_name)
        and asked.get("StartedAfter", started) <= started <= asked.get("StartedBefore", started)
    )


def _page(summaries: list[Summary], marker: str | None, size: int) -> dict[str, Any]:
    arns = [summary.durable_execution_arn for summary in summaries]
    if marker and marker not in arns:
        unknown = "Invalid Marker"
        raise ApiError("InvalidParameterValueException", unknown)
    start = arns.index(marker) + 1 if marker else 0
    shown = [summary.to_dict() for summary in summaries[start : start + size]]
    more = start + size < len(arns)
    return {"DurableExecutions": shown} | ({"NextMarker": arns[start + size - 1]} if more else {})
