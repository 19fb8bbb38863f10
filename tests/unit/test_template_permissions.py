from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.template import ACCOUNT, REGION, as_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.template import Stack

ON_EVERYTHING = {
    "ecr:GetAuthorizationToken",
    "ecs:ListTasks",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
LOGGED = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACED = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
DURABLE = {"lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"}
STARTS = {
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:RunTask",
    "ecs:StopTask",
    "iam:PassRole",
    "sqs:SendMessage",
}
# The DynamoDB flow's function never sees a task end.
TELLS = {"logs:GetLogEvents"}
SETTLES = {
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:StopTask",
    "logs:GetLogEvents",
}
ANSWERS = {
    "lambda:GetDurableExecution",
    "lambda:SendDurableExecutionCallbackFailure",
    "lambda:SendDurableExecutionCallbackSuccess",
}
# Of the roles whose code is this project's.
GRANTED = {
    "SyncRole": LOGGED | TRACED | DURABLE | STARTS | TELLS,
    "CallbackRole": LOGGED | TRACED | DURABLE | STARTS,
    "EventBridgeRole": LOGGED | TRACED | DURABLE | STARTS | TELLS,
    "TaskStateRole": LOGGED
    | TRACED
    | ANSWERS
    | {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "logs:GetLogEvents",
        "sqs:SendMessage",
    },
    "ExecutionStatusRole": LOGGED
    | TRACED
    | SETTLES
    | {"lambda:GetDurableExecution", "sqs:SendMessage"},
    "ReconcilerRole": LOGGED | TRACED | ANSWERS | SETTLES | {"dynamodb:Query"},
    "TaskExecutionRole": LOGGED,
    "TaskRole": {"dynamodb:UpdateItem", "lambda:GetLayerVersion"},
}


def allowing(stack: Stack, role: str, action: str) -> list[str]:
    """The resources on which a role may do something."""
    return [
        resource
        for statement in stack.statements(role)
        if action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def queue_policy(stack: Stack, queue: str) -> list[dict[str, Any]]:
    """The statements of a queue's only policy: a later one would replace it."""
    policies = stack.of_type("AWS::SQS::QueuePolicy").values()
    [policy] = [policy for policy in policies if f"${{{queue}}}" in policy["Queues"]]
    return list(policy["PolicyDocument"]["Statement"])


def executions(function: dict[str, Any]) -> str:
    """The executions of a durable function, of any version, as IAM names them."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function['FunctionName']}:*"


@pytest.mark.parametrize(("role", "granted"), GRANTED.items())
def test_role(stack: Stack, role: str, granted: set[str]) -> None:
    """Each role of this project's own code allows the calls that this makes, and no others."""
    assert {a for s in stack.statements(role) for a in as_list(s["Action"])} == granted


def test_full_names(stack: Stack) -> None:
    """No role allows a group of calls by a part of their names."""
    assert not [a for s in stack.all_statements() for a in as_list(s["Action"]) if "*" in a]


@pytest.mark.parametrize("image", ["", "example/worker:1"])
def test_resources(deploy: Callable[..., Stack], image: str) -> None:
    """Only actions that know no resources are allowed on all of them."""
    for statement in deploy(WorkerImage=image).all_statements():
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= ON_EVERYTHING


def test_a_role_for_each_function(stack: Stack) -> None:
    """Each function has a role of its own, and there are no others but the task's two."""
    roles = [stack.role(function) for function in stack.functions()]
    assert len(set(roles)) == len(roles)
    assert set(stack.of_type("AWS::IAM::Role")) == {*roles, "TaskRole", "TaskExecutionRole"}
    assert set(GRANTED) <= set(stack.of_type("AWS::IAM::Role"))


def test_no_policies_of_aws(stack: Stack) -> None:
    """No role holds one of AWS's managed policies: they allow every log group of the account."""
    for role in stack.of_type("AWS::IAM::Role").values():
        assert set(role.get("ManagedPolicyArns", [])) <= {
            "${TracingPolicy}",
            "${OrchestratorPolicy}",
            "${SettlementPolicy}",
        }


def test_own_log(stack: Stack) -> None:
    """A function writes to its own log group alone and cannot create one."""
    for key, function in stack.functions().items():
        group = function["LoggingConfig"]["LogGroup"].strip("${}")
        for action in LOGGED:
            assert allowing(stack, stack.role(key), action) == [f"${{{group}.Arn}}"]


def test_own_executions(stack: Stack) -> None:
    """A durable function keeps the state of its own executions and reads no other's."""
    for key, function in stack.durable_functions().items():
        for action in DURABLE:
            assert allowing(stack, stack.role(key), action) == [executions(function)]


def test_orchestrators(stack: Stack) -> None:
    """Each durable function may start, find, look at and stop tasks, and keep their records."""
    for key in stack.durable_functions():
        for action in STARTS:
            assert allowing(stack, stack.role(key), action)


def test_tasks_of_this_cluster(stack: Stack) -> None:
    """Every ECS call is bound to this stack's cluster."""
    statements = [s for s in stack.all_statements() if "'ecs:" in str(as_list(s["Action"]))]
    assert statements
    for statement in statements:
        assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": "${Cluster.Arn}"}}


def test_tasks_of_this_family(stack: Stack) -> None:
    """Any revision of this stack's task definition may be run, and nothing else."""
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/demo-worker"
    assert allowing(stack, "SyncRole", "ecs:RunTask") == [family, f"{family}:*"]


def test_passed_roles(stack: Stack) -> None:
    """Only the task's two roles are passed on, and only to ECS tasks."""
    [statement] = [s for s in stack.statements("SyncRole") if s["Action"] == "iam:PassRole"]
    assert statement["Resource"] == ["${TaskRole.Arn}", "${TaskExecutionRole.Arn}"]
    passed_to = statement["Condition"]["StringEquals"]["iam:PassedToService"]
    assert passed_to == "ecs-tasks.amazonaws.com"


def test_callbacks(stack: Stack) -> None:
    """Callbacks are answered in the EventBridge flow and like it, and not of the other two."""
    durable = {key: executions(f) for key, f in stack.durable_functions().items()}
    del durable["SyncLambdaFunction"], durable["CallbackLambdaFunction"]
    answered = set(allowing(stack, "TaskStateRole", "lambda:GetDurableExecution"))
    assert answered == set(durable.values())
    for role in ("TaskStateRole", "ReconcilerRole"):
        for action in ANSWERS - {"lambda:GetDurableExecution"}:
            assert set(allowing(stack, role, action)) == answered


@pytest.mark.parametrize("role", ["ExecutionStatusRole", "ReconcilerRole"])
def test_executions_that_have_ended(stack: Stack, role: str) -> None:
    """Whoever settles records may look at the executions of every durable function."""
    looked_at = allowing(stack, role, "lambda:GetDurableExecution")
    assert set(looked_at) == {executions(f) for f in stack.durable_functions().values()}


def test_trusted(stack: Stack) -> None:
    """ECS alone may take the task's two roles, for tasks of this account and Region."""
    for role in ("TaskRole", "TaskExecutionRole"):
        trust = stack.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust == [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"},
                },
            }
        ]


def test_columns_of_the_worker(stack: Stack) -> None:
    """A worker can write a result, how it went and what its condition names, and reads nothing."""
    [statement] = [s for s in stack.statements("TaskRole") if "dynamodb" in str(s["Action"])]
    assert statement["Action"] == "dynamodb:UpdateItem"
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {
            "dynamodb:Attributes": [
                "executionId",
                "attempt",
                "open",
                "status",
                "result",
                "error",
                "updatedAt",
            ]
        },
        "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
    }


def test_worker_reads_its_own_code(stack: Stack) -> None:
    """The container may fetch this stack's layer, any version of it, and no other layer."""
    [layer] = stack.of_type("AWS::Lambda::LayerVersion").values()
    [resource] = allowing(stack, "TaskRole", "lambda:GetLayerVersion")
    assert resource == f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{layer['LayerName']}:*"


def test_undelivered_events(stack: Stack) -> None:
    """Only the rules that name the queue for undelivered events may put them into it."""
    rules = stack.of_type("AWS::Events::Rule")
    rules = {key: rule for key, rule in rules.items() if "DeadLetterConfig" in str(rule)}
    [statement, _] = queue_policy(stack, "UndeliveredEventsQueue")
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == "${UndeliveredEventsQueue.Arn}"
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": [f"${{{rule}.Arn}}" for rule in rules]}
    }


def test_plain_http(stack: Stack) -> None:
    """Every queue refuses every call of everybody that comes by plain HTTP."""
    for queue in stack.of_type("AWS::SQS::Queue"):
        assert queue_policy(stack, queue)[-1] == {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": f"${{{queue}.Arn}}",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }


def test_unprocessed_events(stack: Stack) -> None:
    """Lambda may hand failed events on: it does so in the functions' roles."""
    for role in ("TaskStateRole", "ExecutionStatusRole"):
        [resource] = allowing(stack, role, "sqs:SendMessage")
        assert resource == "${UnprocessedEventsQueue.Arn}"


def test_failed_executions(stack: Stack) -> None:
    """Every durable function may keep what failed, in the queue that it names."""
    for key, function in stack.durable_functions().items():
        queues = allowing(stack, stack.role(key), "sqs:SendMessage")
        assert function["DeadLetterConfig"]["TargetArn"] in queues
