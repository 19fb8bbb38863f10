from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ecs_events.sweep import PERIOD
from tests.template import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.template import Stack


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
    """The rule on executions matches the bad ends of this stack's, and of no other stack's."""
    rule = stack.of_type("AWS::Events::Rule")["ExecutionStatusFunctionExecutionStatusChange"]
    functions = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:demo-"
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
    assert timedelta(minutes=5) == PERIOD, "the parts of the table go by the schedule"
    assert [target["Arn"] for target in rule["Targets"]] == ["${ReconcilerFunctionAliaslive}"]
    assert stack.of_type("AWS::Lambda::Function")["ReconcilerFunction"]["Timeout"] < 5 * 60
    config = stack.of_type("AWS::Lambda::EventInvokeConfig")["ReconcilerFunctionEventInvokeConfig"]
    assert config["MaximumRetryAttempts"] == 0
    assert config["MaximumEventAgeInSeconds"] == PERIOD.total_seconds(), "the next run is due"
