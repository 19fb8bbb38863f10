from __future__ import annotations

import importlib
import json
import re
import tomllib
import uuid
from typing import TYPE_CHECKING, Any

import botocore.session
import msgspec
import pytest
from cloudformation_validate import (  # type: ignore[import-untyped]  # it ships no types
    CompositeEngine,
    Severity,
    TemplateContent,
    ValidateConfig,
)

from adapters.settings import OrchestratorSettings, Settings, TaskStateSettings
from core.correlation import Correlation
from core.record import OPEN_INDEX
from tests import template
from tests.permissions.check import OWN_NETWORK
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.template import Stack

LONGEST_STACK_NAME = 43
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
# Those that people and programs outside the stack call by an output.
CALLED = (
    "SyncLambdaFunction",
    "CallbackLambdaFunction",
    "EventBridgeLambdaFunction",
    "TaskStateFunction",
)


def settings_of(function: dict[str, Any]) -> type[Settings]:
    """The settings that a function reads from its environment."""
    if "DurableConfig" in function:
        return OrchestratorSettings
    handlers = {"ecs_events.task_state.handler": TaskStateSettings}
    return handlers.get(function["Handler"], Settings)


def test_every_prompt_can_be_answered_with_enter(source: dict[str, Any]) -> None:
    """Each parameter has a default, and no prompt's default answer stops the deployment."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert all("Default" in parameter for parameter in source["Parameters"].values())
    assert config["global"]["parameters"]["stack_name"] == "lambda-ecs-durable-demo"
    assert config["deploy"]["parameters"]["confirm_changeset"] is False
    assert config["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


def test_no_named_roles(stack: Stack) -> None:
    """CAPABILITY_IAM is enough: no role and no policy has a name of its own."""
    assert not [role for role in stack.of_type("AWS::IAM::Role").values() if "RoleName" in role]
    policies = stack.of_type("AWS::IAM::ManagedPolicy").values()
    assert not [policy for policy in policies if "ManagedPolicyName" in policy]


@pytest.mark.parametrize("network", [{}, OWN_NETWORK], ids=["the stack's network", "one's own"])
def test_aws_validator(written: Path, network: dict[str, str]) -> None:
    """AWS's validator warns of nothing but the versions that running executions are pinned to."""
    # The transform retains them while the stack lives; they go with their function.
    found = warnings(template.translated(written), **network)
    assert {(d.rule_id, d.entity.resource_type) for d in found} == {
        ("W3011", "AWS::Lambda::Version")
    }


def test_aws_validator_looks_both_ways(source: dict[str, Any]) -> None:
    """AWS's validator finds a fault behind each condition, whichever way the parameters decide."""
    conditions = dict(source["Conditions"])
    conditions |= {f"Not{name}": {"Fn::Not": [{"Condition": name}]} for name in conditions}
    fault = {"Type": "AWS::SQS::Queue", "Properties": {"Fault": 1}}
    resources = {f"{name}Queue": {**fault, "Condition": name} for name in conditions}
    parts = {"Parameters": source["Parameters"], "Conditions": conditions}
    found = warnings({**parts, "Resources": resources})
    assert {d.entity.logical_id for d in found if d.rule_id == "F3002"} == resources.keys()


def warnings(translated: dict[str, Any], **parameters: str) -> list[Any]:
    """The warnings of AWS's validator about the entities of a template with parameters."""
    content = TemplateContent(json.dumps(translated), "template.json")
    # It compares a parameter's value with what it is for, also where a condition uses none.
    values = {"PermissionsBoundaryArn": BOUNDARY, "AlarmTopicArn": TOPIC, **parameters}
    config = ValidateConfig(parameter_overrides=values)
    report = CompositeEngine().validate_template(content, config)
    return [d for d in report.diagnostics if d.severity is not Severity.INFO and d.entity]


def test_longest_stack_name(source: dict[str, Any], deploy: Callable[..., Stack]) -> None:
    """The stack's name may have 43 characters, as its description says; then every name fits."""
    names = deploy("s" * LONGEST_STACK_NAME)
    functions = [f["FunctionName"] for f in names.functions().values()]
    queues = [queue["QueueName"] for queue in names.of_type("AWS::SQS::Queue").values()]
    assert max(map(len, functions)) == 64
    assert max(map(len, queues)) <= 80
    assert f"{LONGEST_STACK_NAME} characters" in source["Description"]


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
    [cluster] = stack.of_type("AWS::ECS::Cluster").values()
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]


def test_environment(stack: Stack) -> None:
    """Each function is told what its settings ask for, and the tasks it means are those made."""
    [definition] = stack.of_type("AWS::ECS::TaskDefinition").values()
    containers = [container["Name"] for container in definition["ContainerDefinitions"]]
    for function in stack.functions().values():
        environment = function["Environment"]["Variables"]
        converted = msgspec.convert(environment, settings_of(function), strict=False)
        if isinstance(converted, OrchestratorSettings):
            assert converted.task_family == definition["Family"]
            assert converted.container_name in containers


def test_nothing_told_in_vain(stack: Stack) -> None:
    """Each function reads every variable that the template sets for it, or a library does."""
    for key, function in stack.functions().items():
        told = {name for name in function["Environment"]["Variables"] if name != "REVISION"}
        read = {field.encode_name for field in msgspec.structs.fields(settings_of(function))}
        unread = {name for name in told - read if not name.startswith("POWERTOOLS_")}
        assert not unread, key


def test_handler(stack: Stack) -> None:
    """Each handler that the template names exists."""
    for function in stack.functions().values():
        module, name = function["Handler"].rsplit(".", 1)
        assert callable(getattr(importlib.import_module(module), name))


def test_durable_functions(deploy: Callable[..., Stack]) -> None:
    """The orchestrators, and they alone, are durable for as long as the parameter says."""
    stack = deploy(ExecutionTimeout="3600")
    assert set(stack.durable_functions()) >= set(CALLED) - {"TaskStateFunction"}
    for function in stack.functions().values():
        told = function["Environment"]["Variables"].get("EXECUTION_TIMEOUT")
        assert function.get("DurableConfig", {}).get("ExecutionTimeout") == told
        assert told == ("3600" if settings_of(function) is OrchestratorSettings else None)


def test_alias(stack: Stack) -> None:
    """Each function has an alias `live`."""
    aliases = stack.of_type("AWS::Lambda::Alias")
    for key in stack.functions():
        alias = aliases[f"{key}Aliaslive"]
        assert (alias["Name"], alias["FunctionName"]) == ("live", f"${{{key}}}")


@pytest.mark.parametrize("function", CALLED)
def test_called_alias(stack: Stack, function: str) -> None:
    """The outputs of those functions that are called name their alias."""
    assert stack.outputs[f"{function}Arn"] == f"${{{function}Aliaslive}}"


def test_runtime(stack: Stack) -> None:
    """Each function runs on Python 3.13 and is traced."""
    for function in stack.functions().values():
        assert function["Runtime"] == "python3.13"
        assert function["TracingConfig"] == {"Mode": "Active"}


def test_records(stack: Stack) -> None:
    """Records can be recovered, and those that are open are found by an index."""
    properties = stack.of_type("AWS::DynamoDB::Table")["CallbackTable"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    [index] = properties["GlobalSecondaryIndexes"]
    keys = [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
    assert index["IndexName"] == OPEN_INDEX
    assert keys == [("open", "HASH"), ("createdAt", "RANGE")]


def test_log_retention(deploy: Callable[..., Stack]) -> None:
    """Every log group keeps its lines for as many days as the one parameter says, 30 by default."""
    for kept, stack in ((30, deploy()), ("7", deploy(LogRetentionDays="7"))):
        groups = stack.of_type("AWS::Logs::LogGroup").values()
        assert {group["RetentionInDays"] for group in groups} == {kept}


def test_log_retentions(source: dict[str, Any]) -> None:
    """The parameter offers each retention that CloudWatch Logs knows, and no other."""
    model = botocore.session.get_session().get_service_model("logs")
    told = model.shape_for("Days").documentation
    days = {int(number) for number in re.findall(r"\d+", told)}
    assert set(source["Parameters"]["LogRetentionDays"]["AllowedValues"]) == days


@pytest.mark.parametrize("boundary", ["", BOUNDARY])
def test_permissions_boundary(deploy: Callable[..., Stack], boundary: str) -> None:
    """Every role has the boundary that the parameter names, and none without it."""
    roles = deploy(PermissionsBoundaryArn=boundary).of_type("AWS::IAM::Role").values()
    assert {role.get("PermissionsBoundary", "") for role in roles} == {boundary}


@pytest.mark.parametrize(
    ("boundary", "fits"),
    [
        ("", True),
        (BOUNDARY, True),
        ("arn:aws-us-gov:iam::123456789012:policy/path/boundary", True),
        ("arn:aws-cn:iam::aws:policy/PowerUserAccess", True),
        ("boundary", False),
        ("arn:aws:iam::123456789012:role/boundary", False),
        ("arn:aws:iam::123456789012:policy/", False),
    ],
)
def test_boundaries(source: dict[str, Any], boundary: str, *, fits: bool) -> None:
    """The boundary's parameter takes a policy of any partition, or nothing."""
    pattern = source["Parameters"]["PermissionsBoundaryArn"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, boundary)) is fits


def test_log_never_stops_the_work(stack: Stack) -> None:
    """A container whose log cannot be written goes on: lines wait in a buffer, or are lost."""
    [definition] = stack.of_type("AWS::ECS::TaskDefinition").values()
    for container in definition["ContainerDefinitions"]:
        options = container["LogConfiguration"]["Options"]
        assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "25m")


def test_task_state_timeout(stack: Stack) -> None:
    """A task-state invocation that hangs is over, idempotency entry and all, before its retry."""
    assert stack.resources["TaskStateFunction"]["Properties"]["Timeout"] <= 30


def test_function_log_group(stack: Stack) -> None:
    """Each function logs to a group that the stack makes."""
    groups = stack.of_type("AWS::Logs::LogGroup")
    for function in stack.functions().values():
        group = groups[function["LoggingConfig"]["LogGroup"].strip("${}")]
        assert group["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"


def test_queues(stack: Stack) -> None:
    """Every queue is encrypted and keeps its messages for 14 days."""
    for queue in stack.of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 86_400


def test_tables(stack: Stack) -> None:
    """Both tables are paid by request, encrypted and forget what has expired."""
    for table, expiry in (("CallbackTable", "expiresAt"), ("IdempotencyTable", "expiration")):
        properties = stack.of_type("AWS::DynamoDB::Table")[table]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["SSESpecification"]["SSEEnabled"] is True
        expected = {"AttributeName": expiry, "Enabled": True}
        assert properties["TimeToLiveSpecification"] == expected


def test_data_bucket(stack: Stack) -> None:
    """The bucket is encrypted and its owner's alone, and has a name that CloudFormation makes."""
    [bucket] = stack.of_type("AWS::S3::Bucket").values()
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    blocked = bucket["PublicAccessBlockConfiguration"]
    assert blocked == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert "BucketName" not in bucket


def test_data_retention(deploy: Callable[..., Stack]) -> None:
    """Objects expire after as many days as the parameter says and the durable functions are told.

    Parts of an upload that nobody has completed go after a day.
    """
    for days, stack in ((400, deploy()), ("31", deploy(DataRetentionDays="31"))):
        [bucket] = stack.of_type("AWS::S3::Bucket").values()
        [rule] = bucket["LifecycleConfiguration"]["Rules"]
        assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", days)
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert not rule.keys() & {"Prefix", "TagFilters"}
        for function in stack.durable_functions().values():
            assert function["Environment"]["Variables"]["DATA_RETENTION_DAYS"] == days


def test_longest_retention(source: dict[str, Any]) -> None:
    """By default an object outlives the longest execution and its closed record."""
    longest = source["Parameters"]["ExecutionTimeout"]["MaxValue"] // 86_400
    [days] = {
        int(variables["RECORD_RETENTION_DAYS"])
        for variables in [source["Globals"]["Function"]["Environment"]["Variables"]]
    }
    assert source["Parameters"]["DataRetentionDays"]["Default"] >= longest + days


def test_capacity_providers(stack: Stack) -> None:
    """The cluster offers on-demand and Spot capacity, and asks for neither by itself."""
    [cluster] = stack.of_type("AWS::ECS::Cluster").values()
    assert cluster["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert "DefaultCapacityProviderStrategy" not in cluster
