"""The checks of a function's role that AWS makes when the function is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.errors import TemplateError, UnsupportedError
from local.iam.access import Access
from local.iam.authority import DeniedError, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local.functions.configuration import Configuration
    from local.iam.authority import Authority

_LAMBDA = "lambda.amazonaws.com"


def check_roles(functions: Iterable[Configuration], authority: Authority) -> None:
    """Let functions pass if Lambda can take their roles, and if they can hand on failed events.

    Raises:
        TemplateError: AWS would refuse one of them.
    """
    for function in functions:
        if not function.role:
            raise UnsupportedError(
                f"{function.name}: its role is none of this template's, so it is not known what "
                "it allows."
            )
        try:
            taken = Access("sts:AssumeRole", str(function.properties["Role"]))
            authority.check(Service(_LAMBDA, function.arn), taken)
            for queue in _queues(function):
                authority.check(function.session, Access("sqs:SendMessage", queue))
        except DeniedError as error:
            raise TemplateError(f"{function.name} cannot be made: AccessDenied: {error}") from error


def _queues(function: Configuration) -> Iterator[str]:
    """Yield the ARNs of the queues for failed events and executions."""
    if letters := function.properties.get("DeadLetterConfig"):
        yield letters["TargetArn"]
    destinations = function.asynchronous.get("DestinationConfig", {})
    if "Destination" in destinations.get("OnFailure", {}):
        yield destinations["OnFailure"]["Destination"]
