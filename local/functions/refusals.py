"""The limits of a template's functions here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.stack import Stack

_FUNCTION = "AWS::Lambda::Function"
_ASYNCHRONOUS = "AWS::Lambda::EventInvokeConfig"


def unsupported(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield each function and each destination that would not work here as in AWS.

    Yields:
        The resource's logical id, its type, and the reason.
    """
    functions = stack.of_type(_FUNCTION)
    durable = {f["FunctionName"] for f in functions.values() if "DurableConfig" in f}
    for logical_id, function in functions.items():
        for reason in _of_function(function):
            yield logical_id, _FUNCTION, reason
    for logical_id, config in stack.of_type(_ASYNCHRONOUS).items():
        # Lambda too has no destinations for durable functions.
        if config["FunctionName"] not in durable:
            for reason in _of_destinations(config.get("DestinationConfig", {})):
                yield logical_id, _ASYNCHRONOUS, reason


def _of_function(function: Mapping[str, Any]) -> Iterator[str]:
    if "S3Key" not in function.get("Code", {}):
        yield "Neither images nor inline code run here. Put the code into a folder: CodeUri."
    letters = function.get("DeadLetterConfig", {}).get("TargetArn")
    if letters and "DurableConfig" not in function:
        yield "Its dead-letter queue gets nothing here. Name the queue in OnFailure."
    elif letters and not _is_queue(letters):
        yield f"Only queues take dead letters here, not {letters}."


def _of_destinations(destinations: Mapping[str, Any]) -> Iterator[str]:
    if "OnSuccess" in destinations:
        yield "OnSuccess gets nothing here. Let the function itself hand its result on."
    failures = destinations.get("OnFailure", {}).get("Destination")
    if failures and not _is_queue(failures):
        yield f"Only queues take what OnFailure sends here, not {failures}."


def _is_queue(arn: str) -> bool:
    return arn.split(":")[2:3] == ["sqs"]
