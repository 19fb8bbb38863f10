"""The decorator that makes a Lambda handler of a function that runs in a durable execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from adapters.telemetry import logger, tracer

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    Handler: TypeAlias = Callable[[Any, LambdaContext], MutableMapping[str, Any]]


def durable_handler(run: Callable[[Any, DurableContext], dict[str, Any]]) -> Handler:
    """Return the Lambda handler of a durable function: traced, durable, logged.

    Args:
        run: takes the payload and the execution's durable context, and returns the execution's
            result, which must be a JSON value. Lambda runs it again from its beginning after each
            suspension: code with an effect belongs into a step.
    """

    # The tracer is outside, because inside it takes each suspension for a fault. The logger is
    # inside, where the execution is known.
    @tracer.capture_lambda_handler(capture_response=False)
    @durable_execution
    @logger.inject_lambda_context
    def handler(event: object, context: DurableContext) -> dict[str, Any]:
        return run(event, context)

    return cast("Handler", handler)
