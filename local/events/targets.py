"""The targets of rules: functions, which are invoked asynchronously, and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.child_dispatcher import parse_function_target
from botocore.exceptions import ClientError

from local.events.delivery import DeliveryError
from local.functions.configuration import LATEST, UNQUALIFIED
from local.iam import Access
from local.iam.authority import DeniedError
from local.nesting import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.account import Send
    from local.functions import Function
    from local.functions.asynchronous import AsynchronousInvocations
    from local.iam.authority import Authority, Principal


class Targets:
    """Hands events to targets by their ARNs."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        asynchronous: AsynchronousInvocations,
        send: Send,
        authority: Authority,
    ) -> None:
        self._functions, self._asynchronous, self._send = functions, asynchronous, send
        self._authority = authority

    def take(self, rule_arn: str, arn: str, event: bytes) -> None:
        """Hand an event's JSON to a rule's target.

        Raises:
            DeliveryError: the target does not exist, cannot be invoked, does not take this event
                or this rule's events, or is of a kind that is not known here.
        """
        service, rule = arn.split(":")[2], self._authority.events(rule_arn)
        try:
            if service == "sqs":
                self._queue(rule, arn, event)
            elif service == "lambda":
                self._invoke(rule, arn, event)
            else:
                raise _invalid(f"Targets of {service} are not known here")
        except DeniedError as error:
            raise DeliveryError("NO_PERMISSIONS", str(error), is_transient=False) from error

    def _queue(self, rule: Principal, arn: str, event: bytes) -> None:
        try:
            self._send(rule, arn, event.decode())
        except ClientError as error:
            raise DeliveryError("NO_RESOURCE", str(error), is_transient=False) from error

    def _invoke(self, rule: Principal, arn: str, event: bytes) -> None:
        missing = DeliveryError("NO_RESOURCE", f"Function not found: {arn}", is_transient=False)
        try:
            target = parse_function_target(arn)
        except ValueError as error:
            raise missing from error
        function, qualifier = self._functions.get(target.name), target.qualifier or LATEST
        if function is None or not function.configuration.version(qualifier):
            raise missing
        if target.qualifier is None and function.configuration.execution_timeout is not None:
            raise _invalid(UNQUALIFIED)
        self._authority.check(rule, Access("lambda:InvokeFunction", arn))
        try:
            read(event)
        except ValueError as error:
            raise _invalid(f"Could not parse request body into json: {error}") from error
        self._asynchronous.accept(function, event, qualifier)


def _invalid(message: str) -> DeliveryError:
    return DeliveryError("INVALID_PARAMETER", message, is_transient=False)
