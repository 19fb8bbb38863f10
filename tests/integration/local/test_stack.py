from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.e2e.user import User


@pytest.fixture
def cloudformation(user: User) -> Any:
    """A client of CloudFormation."""
    return user.system.account.client("cloudformation")


def test_outputs(user: User, cloudformation: Any) -> None:
    """The stack's outputs are shown, with their descriptions."""
    stack = user.system.stack
    [described] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    assert outputs == stack.outputs
    assert all(output["Description"] for output in described["Outputs"])


def test_stack(user: User, cloudformation: Any) -> None:
    """The stack is shown as created, with the template's parameters."""
    [described] = cloudformation.describe_stacks()["Stacks"]
    assert (described["StackName"], described["StackStatus"]) == (
        user.system.stack.name,
        "CREATE_COMPLETE",
    )
    assert f":stack/{user.system.stack.name}/" in described["StackId"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in described["Parameters"]}
    assert parameters["ExecutionTimeout"] == "86400"
    cloudformation.get_waiter("stack_create_complete").wait(StackName=user.system.stack.name)


def test_resources(user: User, cloudformation: Any) -> None:
    """The stack's resources are listed by both their names."""
    pages = cloudformation.get_paginator("list_stack_resources")
    listed = [
        (resource["LogicalResourceId"], resource["PhysicalResourceId"], resource["ResourceType"])
        for page in pages.paginate(StackName=user.system.stack.name)
        for resource in page["StackResourceSummaries"]
    ]
    outputs = user.system.stack.outputs
    assert ("CallbackTable", outputs["CallbackTableName"], "AWS::DynamoDB::Table") in listed
    assert ("Cluster", outputs["ECSClusterName"], "AWS::ECS::Cluster") in listed


def test_unknown_stack(cloudformation: Any) -> None:
    """A call about another stack is refused."""
    with pytest.raises(ClientError, match="Stack with id other does not exist"):
        cloudformation.describe_stacks(StackName="other")
