from __future__ import annotations

import importlib
import json
import tomllib
import uuid

import msgspec
import pytest
from cloudformation_validate import (  # type: ignore[import-untyped]  # it ships no types
    CompositeEngine,
    Severity,
    TemplateContent,
)

from adapters.settings import OrchestratorSettings, Settings, TaskStateSettings
from core.correlation import Correlation
from tests import template
from tests.template import ROOT, Stack

LONGEST_STACK_NAME = 43
FUNCTIONS: dict[str, type[Settings]] = {
    "SyncLambdaFunction": OrchestratorSettings,
    "CallbackLambdaFunction": OrchestratorSettings,
    "EventBridgeLambdaFunction": OrchestratorSettings,
    "TaskStateFunction": TaskStateSettings,
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack that the defaults make."""
    return template.stack()


def test_every_prompt_can_be_answered_with_enter() -> None:
    """Each parameter has a default, and no prompt's default answer stops the deployment."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert all("Default" in told for told in template.source()["Parameters"].values())
    assert config["global"]["parameters"]["stack_name"] == "lambda-ecs-durable-demo"
    assert config["deploy"]["parameters"]["confirm_changeset"] is False
    assert config["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


def test_no_named_roles(stack: Stack) -> None:
    """CAPABILITY_IAM is enough: no role and no policy has a name of its own."""
    assert not [role for role in stack.of_type("AWS::IAM::Role").values() if "RoleName" in role]
    policies = stack.of_type("AWS::IAM::ManagedPolicy").values()
    assert not [policy for policy in policies if "ManagedPolicyName" in policy]


def test_aws_validator() -> None:
    """AWS's own validator warns of nothing but the versions that running executions are pinned to.

    The transform retains them while the stack lives; they go with their function.
    """
    report = CompositeEngine().validate_template(
        TemplateContent(json.dumps(template.translated()), "template.json")
    )
    found = [d for d in report.diagnostics if d.severity is not Severity.INFO]
    assert {(d.rule_id, d.entity.resource_type) for d in found if d.entity} == {
        ("W3011", "AWS::Lambda::Version")
    }


def test_longest_stack_name() -> None:
    """The stack's name may have 43 characters, as its description says; then every name fits."""
    names = template.stack("s" * LONGEST_STACK_NAME)
    functions = [f["FunctionName"] for f in names.of_type("AWS::Lambda::Function").values()]
    queues = [queue["QueueName"] for queue in names.of_type("AWS::SQS::Queue").values()]
    assert max(map(len, functions)) == 64
    assert max(map(len, queues)) <= 80
    assert f"{LONGEST_STACK_NAME} characters" in template.source()["Description"]


def test_longest_started_by() -> None:
    """`startedBy` fits into ECS's 128 characters even under the longest stack name."""
    correlation = Correlation("s" * LONGEST_STACK_NAME, str(uuid.uuid4()), 999)
    assert len(correlation.started_by) <= 128


def test_delete_leaves_nothing(stack: Stack) -> None:
    """No resource outlives the stack but for function versions, which go with their function."""
    retained = {
        resource["Type"]
        for resource in stack.resources.values()
        if {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} - {"Delete", None}
    }
    assert retained == {"AWS::Lambda::Version"}


@pytest.mark.parametrize(("function", "settings"), FUNCTIONS.items())
def test_environment(stack: Stack, function: str, settings: type[Settings]) -> None:
    """Each function is told what its settings ask for, and the tasks it means are those made."""
    environment = stack.resources[function]["Properties"]["Environment"]["Variables"]
    told = msgspec.convert(environment, settings, strict=False)
    [definition] = stack.of_type("AWS::ECS::TaskDefinition").values()
    assert told.task_family == definition["Family"]
    assert [told.container_name] == [
        worker["Name"] for worker in definition["ContainerDefinitions"]
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler(stack: Stack, function: str) -> None:
    """Each handler that the template names exists."""
    module, name = stack.resources[function]["Properties"]["Handler"].rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), name))


def test_durable_functions() -> None:
    """The three orchestrators, and they alone, are durable for as long as the parameter says."""
    stack = template.stack(ExecutionTimeout="3600")
    functions = stack.of_type("AWS::Lambda::Function")
    durable = {key: f["DurableConfig"] for key, f in functions.items() if "DurableConfig" in f}
    assert set(durable) == {key for key, kind in FUNCTIONS.items() if kind is OrchestratorSettings}
    for key, config in durable.items():
        told = functions[key]["Environment"]["Variables"]["EXECUTION_TIMEOUT"]
        assert config["ExecutionTimeout"] == told == "3600"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_alias(stack: Stack, function: str) -> None:
    """Each function has an alias `live`, which the outputs name."""
    alias = stack.of_type("AWS::Lambda::Alias")[f"{function}Aliaslive"]
    assert (alias["Name"], alias["FunctionName"]) == ("live", f"${{{function}}}")
    assert stack.outputs[f"{function.removesuffix('Arn')}Arn"] == f"${{{function}Aliaslive}}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_changed_environment_publishes(function: str) -> None:
    """A deployment that changes only the environment moves `live` too."""
    properties = template.source()["Resources"][function]["Properties"]
    assert properties["AutoPublishAliasAllProperties"] is True


def test_task_state_timeout(stack: Stack) -> None:
    """A task-state invocation that hangs is over, idempotency entry and all, before its retry."""
    assert stack.resources["TaskStateFunction"]["Properties"]["Timeout"] <= 30


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_log_group(stack: Stack, function: str) -> None:
    """Each function logs to a group that the stack makes and that keeps lines for a while."""
    properties = stack.resources[function]["Properties"]
    group = properties["LoggingConfig"]["LogGroup"].strip("${}")
    told = stack.of_type("AWS::Logs::LogGroup")[group]
    assert told["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}"
    assert told["RetentionInDays"] == 30


def test_rule(stack: Stack) -> None:
    """The rule matches ends of this stack's tasks, and no other stack's, whatever its name."""
    rule = stack.of_type("AWS::Events::Rule")["TaskStateFunctionTaskStateChange"]
    assert rule["EventPattern"] == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": ["${Cluster.Arn}"],
            "startedBy": [{"prefix": "demo/"}],
            "lastStatus": ["DEPROVISIONING", "STOPPED"],
        },
    }


def test_executions_rule(stack: Stack) -> None:
    """The other rule matches the bad ends of this stack's executions, and of no other's."""
    rule = stack.of_type("AWS::Events::Rule")["ExecutionStatusFunctionExecutionStatusChange"]
    functions = f"arn:aws:lambda:{template.REGION}:{template.ACCOUNT}:function:demo-"
    assert rule["EventPattern"] == {
        "source": ["aws.lambda"],
        "detail-type": ["Durable Execution Status Change"],
        "detail": {
            "durableExecutionArn": [{"prefix": functions}],
            "status": ["FAILED", "STOPPED", "TIMED_OUT"],
        },
    }


@pytest.mark.parametrize(
    ("rule", "function"),
    [
        ("TaskStateFunctionTaskStateChange", "TaskStateFunction"),
        ("ExecutionStatusFunctionExecutionStatusChange", "ExecutionStatusFunction"),
    ],
)
def test_rule_target(stack: Stack, rule: str, function: str) -> None:
    """A rule invokes the alias for up to a day, then keeps the event in a queue."""
    [target] = stack.of_type("AWS::Events::Rule")[rule]["Targets"]
    assert target["Arn"] == f"${{{function}Aliaslive}}"
    assert target["RetryPolicy"] == {
        "MaximumRetryAttempts": 185,
        "MaximumEventAgeInSeconds": 86_400,
    }
    assert target["DeadLetterConfig"]["Arn"] == "${UndeliveredEventsQueue.Arn}"


@pytest.mark.parametrize("function", ["TaskStateFunction", "ExecutionStatusFunction"])
def test_failed_events(stack: Stack, function: str) -> None:
    """An event on which its function failed three times is kept in a queue."""
    config = stack.of_type("AWS::Lambda::EventInvokeConfig")[f"{function}EventInvokeConfig"]
    assert (config["FunctionName"], config["Qualifier"]) == (f"${{{function}}}", "live")
    assert config["MaximumRetryAttempts"] == 2
    destination = config["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == "${UnprocessedEventsQueue.Arn}"


def test_reconciler_runs_every_five_minutes(stack: Stack) -> None:
    """The reconciler is invoked every five minutes, one run at a time, and is its own retry."""
    rule = stack.of_type("AWS::Events::Rule")["ReconcilerFunctionPeriod"]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert [target["Arn"] for target in rule["Targets"]] == ["${ReconcilerFunctionAliaslive}"]
    assert stack.of_type("AWS::Lambda::Function")["ReconcilerFunction"]["Timeout"] < 5 * 60
    config = stack.of_type("AWS::Lambda::EventInvokeConfig")["ReconcilerFunctionEventInvokeConfig"]
    assert config["MaximumRetryAttempts"] == 0


def test_queues(stack: Stack) -> None:
    """Every queue is encrypted and keeps its messages for 14 days."""
    for queue in stack.of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 86_400


def test_tables(stack: Stack) -> None:
    """Both tables are paid by request, encrypted, recoverable and forget what has expired."""
    for table, expiry in (("CallbackTable", "expiresAt"), ("IdempotencyTable", "expiration")):
        properties = stack.of_type("AWS::DynamoDB::Table")[table]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["SSESpecification"]["SSEEnabled"] is True
        recovery = properties["PointInTimeRecoverySpecification"]
        assert recovery["PointInTimeRecoveryEnabled"] is True
        expected = {"AttributeName": expiry, "Enabled": True}
        assert properties["TimeToLiveSpecification"] == expected
