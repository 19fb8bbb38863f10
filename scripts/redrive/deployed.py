"""A deployed stack, as CloudFormation shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT_QUEUES = ("UndeliveredEventsQueueUrl", "UnprocessedEventsQueueUrl")
FAILED_EXECUTIONS = "FailedExecutionsQueueUrl"
TABLE = "CallbackTableName"
_ALIAS = "live"
# The parts of arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER
_PARTS_OF_A_FUNCTION = 7


class StackError(Exception):
    """The stack is not one of this project's, or cannot be read."""


class ForeignTargetError(ValueError):
    """The target of an event is no function of this stack that takes events."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack in an account.

    Attributes:
        outputs: values of the outputs, by name.
        functions: the ARN of the alias `live`, by its function's ARN.
        configurations: configurations that Lambda was asked for, by the function's ARN.
    """

    name: str
    outputs: Mapping[str, str]
    functions: Mapping[str, str]
    configurations: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def live(self, target: str) -> str:
        """Return today's version of a function, by its alias.

        Args:
            target: the function's ARN, with a version, an alias or no qualifier. An event may be
                two weeks old, and its version outdated.

        Raises:
            ForeignTargetError: this stack has no such function, or the function takes no events.
            ClientError: Lambda does not show the function's configuration.
        """
        function = ":".join(target.split(":")[:_PARTS_OF_A_FUNCTION])
        if function not in self.functions:
            raise ForeignTargetError(f"{target} is no function of the stack {self.name}")
        # Such an event is made up: it would start work with the rights of the caller.
        if "DurableConfig" in self.configuration(function):
            raise ForeignTargetError(f"{target} begins executions, and no event is for it")
        return self.functions[function]

    def configuration(self, function: str) -> Mapping[str, Any]:
        """Return a function's configuration, by its ARN; Lambda is asked once for each."""
        if function not in self.configurations:
            answer = boto3.client("lambda").get_function_configuration(FunctionName=function)
            self.configurations[function] = answer
        return self.configurations[function]


def deployed(name: str) -> Deployed:
    """Read a stack.

    Raises:
        StackError: the stack is not one of this project's, or cannot be read.
    """
    try:
        cloudformation = boto3.client("cloudformation")
        [described] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        resources = [it for page in pages for it in page["StackResourceSummaries"]]
    # A ValueError says that the endpoint is no address.
    except (BotoCoreError, ClientError, ValueError) as error:
        raise StackError(
            f"Stack {name} cannot be read: {error}\nCredentials and Region are those of the "
            "environment, the Region's name in AWS_DEFAULT_REGION. To name another stack: "
            "make redrive STACK=name"
        ) from error
    outputs = {out["OutputKey"]: out["OutputValue"] for out in described.get("Outputs", ())}
    needed = (*EVENT_QUEUES, FAILED_EXECUTIONS, TABLE)
    if missing := [output for output in needed if output not in outputs]:
        raise StackError(
            f"Stack {name} has no output {' or '.join(missing)}. It is not one of this project's "
            "template. To name another: make redrive STACK=name"
        )
    aliases = (r["PhysicalResourceId"] for r in resources if r["ResourceType"].endswith("::Alias"))
    named = (alias.rpartition(":") for alias in aliases)
    functions = {arn: f"{arn}:{_ALIAS}" for arn, _, alias in named if alias == _ALIAS}
    return Deployed(name, outputs, functions)
