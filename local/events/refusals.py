"""The limits of a template's rules here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.errors import UnsupportedError
from local.events.schedule import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.stack import Stack

RULE = "AWS::Events::Rule"
_ON_THE_WAY = ("InputPath", "InputTransformer")


def unsupported(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield each rule that would send nothing here, or another event than in AWS.

    Yields:
        The rule's logical id, its type, and the reason.
    """
    takers, durable = set(_takers(stack)), set(_durable(stack))
    for logical_id, rule in stack.of_type(RULE).items():
        for reason in _reasons(rule, takers, durable):
            yield logical_id, RULE, reason


def _reasons(rule: Mapping[str, Any], takers: set[str], durable: set[str]) -> Iterator[str]:
    bus = str(rule.get("EventBusName", "default"))
    if bus.rpartition("/")[2] != "default":
        yield f"Rules of the bus {bus} send nothing here. Put it on the default bus."
    if rule.get("State") != "DISABLED" and "ScheduleExpression" in rule:
        try:
            seconds(rule["ScheduleExpression"])
        except UnsupportedError as error:
            yield str(error)
    for target in rule.get("Targets", ()):
        if not takers & {target["Arn"], target["Arn"].rpartition(":")[0]}:
            yield f"Its target {target['Arn']} is no function and no queue of this template."
        if target["Arn"] in durable:
            yield (
                f"Its target {target['Arn']} is a durable function without a version or an alias, "
                "of which Lambda takes no event. Name its alias; in SAM, AutoPublishAlias."
            )
        for key in _ON_THE_WAY:
            if key in target:
                yield f"{key} changes no event here. Send whole events, or a constant Input."


def _takers(stack: Stack) -> Iterator[str]:
    for kind in ("AWS::Lambda::Function", "AWS::SQS::Queue"):
        yield from map(stack.arn, stack.of_type(kind))


def _durable(stack: Stack) -> Iterator[str]:
    """Yield the unqualified ARNs of the durable functions."""
    for logical_id, function in stack.of_type("AWS::Lambda::Function").items():
        if "DurableConfig" in function:
            yield stack.arn(logical_id)
