from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import template

if TYPE_CHECKING:
    from tests.e2e.user import User


@pytest.mark.parametrize("waiter", ["function_active_v2", "function_updated_v2"])
def test_function_is_ready(user: User, waiter: str) -> None:
    """A client that waits for a function to become active or updated need not wait."""
    user.durable.get_waiter(waiter).wait(
        FunctionName=user.function("polling"), WaiterConfig={"Delay": 1, "MaxAttempts": 1}
    )


def test_configuration_is_the_templates(user: User) -> None:
    """A function's configuration tells what the template says of it."""
    outputs = user.system.stack.outputs
    configuration = user.durable.get_function_configuration(
        FunctionName=user.function("eventbridge")
    )
    assert configuration["FunctionArn"] == user.function("eventbridge")
    assert configuration["Version"] == "1"
    assert configuration["DurableConfig"] == {
        "ExecutionTimeout": 86400,
        "RetentionPeriodInDays": 30,
    }
    assert configuration["Environment"]["Variables"]["TABLE_NAME"] == outputs["CallbackTableName"]
    assert configuration["DeadLetterConfig"]["TargetArn"].endswith("failed-executions")
    described = template.source()["Resources"]["EventBridgeLambdaFunction"]["Properties"]
    assert configuration["Handler"] == described["Handler"]
    plain = user.durable.get_function_configuration(FunctionName=outputs["TaskStateFunctionArn"])
    assert plain["Timeout"] == 30
    assert "DurableConfig" not in plain


def test_function_by_its_name(user: User) -> None:
    """Without a qualifier a function is described as its $LATEST version."""
    name = user.function("polling").split(":")[6]
    configuration = user.durable.get_function(FunctionName=name)["Configuration"]
    assert (configuration["FunctionName"], configuration["Version"]) == (name, "$LATEST")
    assert configuration["FunctionArn"] == user.function("polling").removesuffix(":live")


def test_lists(user: User) -> None:
    """Functions, versions and aliases are listed."""
    functions = user.durable.list_functions()["Functions"]
    assert {function["FunctionName"] for function in functions} == user.system.functions.keys()
    name = functions[0]["FunctionName"]
    versions = user.durable.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1"]
    aliases = user.durable.list_aliases(FunctionName=name)["Aliases"]
    assert aliases == [_without_metadata(user.durable.get_alias(FunctionName=name, Name="live"))]
    assert aliases[0]["FunctionVersion"] == "1"


def test_unknown_names(user: User) -> None:
    """A call about a function, a version or an alias that does not exist is refused."""
    function = user.function("polling").removesuffix(":live")
    with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
        user.durable.get_function(FunctionName=f"{function}-other")
    with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
        user.durable.get_function_configuration(FunctionName=function, Qualifier="7")
    with pytest.raises(user.durable.exceptions.ResourceNotFoundException):
        user.durable.get_alias(FunctionName=function, Name="other")


def _without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
