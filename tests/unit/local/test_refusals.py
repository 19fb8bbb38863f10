from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.errors import UnsupportedError
from local.refusals import check
from local.stack import Stack
from local.stack.stack import PROJECT
from local.system import System
from tests import template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FUNCTION = {
    "FunctionName": "order",
    "Handler": "order.handler",
    "CodeUri": "src/",
    "Runtime": "python3.13",
    "AutoPublishAlias": "live",
    "Role": "arn:aws:iam::123456789012:role/order",
}
DURABLE = {"DurableConfig": {"ExecutionTimeout": 600, "RetentionPeriodInDays": 1}}
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}
QUEUE_ARN = {"Fn::GetAtt": "Kept.Arn"}
ELSEWHERE = "arn:aws:sns:us-east-1:123456789012:alarms"


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., None]:
    """Check a template of a function, a queue and what is given, as the local system does first."""

    def start(function: dict[str, Any] | None = None, **resources: dict[str, Any]) -> None:
        given = FUNCTION | (function or {})
        properties = {name: value for name, value in given.items() if value is not None}
        order = {"Type": "AWS::Serverless::Function", "Properties": properties}
        written = {
            "Transform": "AWS::Serverless-2016-10-31",
            "Description": "Orders",
            "Globals": {"Function": {}},
            "Parameters": {},
            "Conditions": {},
            "Outputs": {},
            "Resources": {"Order": order, "Kept": QUEUE} | resources,
        }
        path = tmp_path / "template.yaml"
        path.write_text(json.dumps(written))
        check(Stack(path, "http://127.0.0.1:1"))

    return start


def event(kind: str, **properties: Any) -> dict[str, Any]:
    """A function's event of one of SAM's types."""
    return {"Events": {"On": {"Type": kind, "Properties": properties}}}


def rule(**properties: Any) -> dict[str, Any]:
    """A rule for a shop's events that invokes the function, and what is given."""
    targets = [{"Id": "1", "Arn": {"Ref": "Order.Alias"}}]
    given = {"EventPattern": {"source": ["shop"]}, "Targets": targets, **properties}
    return {"Type": "AWS::Events::Rule", "Properties": given}


def target(**properties: Any) -> dict[str, Any]:
    """A rule whose target has properties beside its ARN."""
    return rule(Targets=[{"Id": "1", "Arn": {"Ref": "Order.Alias"}, **properties}])


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [
        ("ScheduleV2", {"ScheduleExpression": "rate(1 hour)"}, "OrderOn (AWS::Scheduler::Schedule"),
        ("SQS", {"Queue": QUEUE_ARN}, "OrderOn (AWS::Lambda::EventSourceMapping"),
        ("Api", {"Path": "/order", "Method": "post"}, "(AWS::ApiGateway::RestApi"),
        ("HttpApi", {}, "(AWS::ApiGatewayV2::Api"),
        ("SNS", {"Topic": ELSEWHERE}, "OrderOn (AWS::SNS::Subscription"),
        ("CloudWatchLogs", {"LogGroupName": "a", "FilterPattern": ""}, "(AWS::Logs::Subscription"),
        ("IoTRule", {"Sql": "SELECT * FROM 'a'"}, "OrderOn (AWS::IoT::TopicRule"),
        ("Schedule", {"Schedule": "cron(0 12 * * ? *)"}, "OrderOn (AWS::Events::Rule"),
        ("EventBridgeRule", {"EventBusName": "b", "Pattern": {}}, "OrderOn (AWS::Events::Rule"),
        ("EventBridgeRule", {"InputPath": "$.a", "Pattern": {}}, "OrderOn (AWS::Events::Rule"),
    ],
)
def test_events_that_never_come(
    start: Callable[..., None], kind: str, properties: dict[str, Any], named: str
) -> None:
    """A function's event that would never come here is refused by its name and type."""
    with pytest.raises(UnsupportedError) as refused:
        start(event(kind, **properties))
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"Type": "AWS::ECS::Service", "Properties": {}}, "Start them by RunTask."),
        ({"Type": "AWS::Events::EventBus", "Properties": {"Name": "b"}}, "only the default bus"),
        ({"Type": "AWS::StepFunctions::StateMachine"}, "No state machine runs here."),
        ({"Type": "Custom::Fill", "Properties": {}}, "nobody calls it"),
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": {}}},
            "NotificationConfiguration calls nobody here.",
        ),
        (rule(EventBusName="arn:aws:events:us-east-1:1:event-bus/b"), "event-bus/b send nothing"),
        (rule(ScheduleExpression="cron(0 12 * * ? *)"), "cron(0 12 * * ? *) never comes here."),
        (target(InputTransformer={"InputTemplate": "1"}), "InputTransformer changes no event"),
        (target(Arn=ELSEWHERE), f"Its target {ELSEWHERE} is no function and no queue"),
    ],
)
def test_what_would_be_missed(
    start: Callable[..., None], resource: dict[str, Any], reason: str
) -> None:
    """A resource that would do something in AWS, and nothing here, is refused with the reason."""
    with pytest.raises(UnsupportedError) as refused:
        start(Nightly=resource)
    assert f"Nightly ({resource['Type']}): " in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("function", "named"),
    [
        ({"DeadLetterQueue": {"Type": "SQS", "TargetArn": QUEUE_ARN}}, "Order (AWS::Lambda::F"),
        (DURABLE | {"DeadLetterQueue": {"Type": "SNS", "TargetArn": ELSEWHERE}}, "not arn:aws:sns"),
        (
            {"EventInvokeConfig": {"DestinationConfig": {"OnSuccess": {"Type": "SQS"}}}},
            "OnSuccess gets nothing here.",
        ),
        (
            {
                "EventInvokeConfig": {
                    "DestinationConfig": {"OnFailure": {"Type": "SNS", "Destination": ELSEWHERE}}
                }
            },
            f"Only queues take what OnFailure sends here, not {ELSEWHERE}.",
        ),
        ({"CodeUri": None, "InlineCode": "def handler(*_): ..."}, "Put the code into a folder"),
    ],
)
def test_functions(start: Callable[..., None], function: dict[str, Any], named: str) -> None:
    """A function of which something would be missed here is refused."""
    with pytest.raises(UnsupportedError) as refused:
        start(function)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "kind", [("Schedule", {"Schedule": "rate(1 hour)"}), ("EventBridgeRule", {"Pattern": {}})]
)
def test_event_that_lambda_would_refuse(
    start: Callable[..., None], kind: tuple[str, dict[str, Any]]
) -> None:
    """An event of a durable function that has no alias is refused by its name, one with passes."""
    name, properties = kind
    start(DURABLE | event(name, **properties))
    with pytest.raises(UnsupportedError) as refused:
        start(DURABLE | {"AutoPublishAlias": None} | event(name, **properties))
    assert "OrderOn (AWS::Events::Rule): Its target arn:" in str(refused.value)
    assert "AutoPublishAlias" in str(refused.value)


def test_all_at_once(start: Callable[..., None]) -> None:
    """Everything that is refused is named at once, and what to do about it."""
    with pytest.raises(UnsupportedError) as refused:
        start(event("Schedule", Schedule="cron(0 12 * * ? *)"), Nightly=rule(EventBusName="b"))
    heading, *named, advice = str(refused.value).splitlines()
    assert heading == "It asks for what does not work here:"
    assert [line.split()[0] for line in named] == ["Nightly", "OrderOn"]
    assert "make up TEMPLATE=" in advice


@pytest.mark.parametrize(
    "resource",
    [
        rule(ScheduleExpression="cron(0 12 * * ? *)", State="DISABLED"),
        rule(EventBusName="default", ScheduleExpression="rate(1 minute)"),
        target(Arn=QUEUE_ARN, Input="1"),
        {"Type": "AWS::S3::Bucket"},
        {"Type": "AWS::SNS::Topic", "Properties": {}},
    ],
)
@pytest.mark.parametrize("function", [{}, DURABLE])
def test_what_is_missed_by_nobody(
    start: Callable[..., None], resource: dict[str, Any], function: dict[str, Any]
) -> None:
    """A resource that works here, or does nothing by itself, passes."""
    start(function, Nightly=resource)


def test_own_template() -> None:
    """This project's template passes."""
    check(Stack(PROJECT / "template.yaml", "http://127.0.0.1:1"))


def test_unknown_arn(tmp_path: Path) -> None:
    """An ARN that is not known here is refused by the resource's name and type."""
    own = template.source()
    own["Resources"]["Uploads"] = {"Type": "AWS::SNS::Topic"}
    own["Outputs"]["Uploads"] = {"Value": {"Fn::GetAtt": "Uploads.Arn"}}
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(own))
    with pytest.raises(UnsupportedError, match=r"Uploads \(AWS::SNS::Topic\): Arn"):
        _ = Stack(path, "http://127.0.0.1:1").outputs


def test_nothing_is_started(tmp_path: Path) -> None:
    """The system refuses such a template before it has started anything."""
    own = template.source()
    own["Resources"]["Nightly"] = {"Type": "AWS::Scheduler::Schedule", "Properties": {}}
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(own))
    for _ in range(9):  # it would run out of Regions
        with pytest.raises(UnsupportedError, match="Nightly"):
            System(path)
