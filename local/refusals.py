"""Refusals: the parts of a template that AWS supports and the local system does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import events, functions
from local.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.stack import Stack

_INVOKE = "Invoke the function yourself: aws lambda invoke."
# Types that start or call something in AWS, for which a flow would wait in vain here. Other types
# that are not made, for example a network, have no effect that a flow could miss.
_ACTING: Mapping[str, str] = {
    "AWS::ApiGateway::RestApi": f"No API answers here. {_INVOKE}",
    "AWS::ApiGatewayV2::Api": f"No API answers here. {_INVOKE}",
    "AWS::CloudFormation::CustomResource": "Nothing is deployed here, so nobody calls it.",
    "AWS::CloudFormation::Stack": "Nothing of a nested stack is there.",
    "AWS::ECS::Service": "No service starts tasks here. Start them by RunTask.",
    "AWS::ECS::TaskSet": "No task set starts tasks here. Start them by RunTask.",
    "AWS::Events::EventBus": "There is only the default bus here. Use it.",
    "AWS::IoT::TopicRule": f"No message comes here. {_INVOKE}",
    "AWS::Lambda::EventSourceMapping": f"Nothing is read for a function here. {_INVOKE}",
    "AWS::Lambda::Url": f"No function has an address of its own here. {_INVOKE}",
    "AWS::Logs::SubscriptionFilter": f"No log line is handed on here. {_INVOKE}",
    "AWS::Pipes::Pipe": "Nothing passes a pipe here.",
    "AWS::SNS::Subscription": f"No topic hands messages on here. {_INVOKE}",
    "AWS::Scheduler::Schedule": (
        "EventBridge Scheduler does not run here. Use a rule with a rate, in SAM an event of type "
        "Schedule."
    ),
    "AWS::StepFunctions::StateMachine": "No state machine runs here.",
}
_ACTING_BY: Mapping[str, str] = {
    "AWS::Cognito::UserPool": "LambdaConfig",
    "AWS::S3::Bucket": "NotificationConfiguration",
    "AWS::SNS::Topic": "Subscription",
}


def check(stack: Stack) -> None:
    """Let a stack pass whose resources all work here.

    Raises:
        UnsupportedError: names each resource that does not work here, and what to do.
    """
    # A rule's target may be one of these, whose ARN is not known here.
    faults = list(_acting(stack)) or [*events.unsupported(stack), *functions.unsupported(stack)]
    if faults:
        lines = (f"  {logical_id} ({kind}): {reason}" for logical_id, kind, reason in faults)
        raise UnsupportedError(
            "It asks for what does not work here:\n"
            + "\n".join(lines)
            + "\nChange it, or run a copy without that: make up TEMPLATE=copy.yaml"
        )


def _acting(stack: Stack) -> Iterator[tuple[str, str, str]]:
    for logical_id, _, kind in stack.resources():
        known = "AWS::CloudFormation::CustomResource" if kind.startswith("Custom::") else kind
        if known in _ACTING:
            yield logical_id, kind, _ACTING[known]
    for kind, key in _ACTING_BY.items():
        for logical_id, properties in stack.of_type(kind).items():
            if key in properties:
                yield logical_id, kind, f"{key} calls nobody here. {_INVOKE}"
