from __future__ import annotations

import pytest

from tests import template
from tests.template import ACCOUNT, REGION, Stack, as_list

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
FUNCTIONS = {
    "SyncLambdaFunction": "SyncRole",
    "CallbackLambdaFunction": "CallbackRole",
    "EventBridgeLambdaFunction": "EventBridgeRole",
    "TaskStateFunction": "TaskStateRole",
    "ExecutionStatusFunction": "ExecutionStatusRole",
    "ReconcilerFunction": "ReconcilerRole",
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack that the defaults make."""
    return template.stack()


def allowing(stack: Stack, role: str, action: str) -> list[str]:
    """The resources on which a role may do something."""
    return [
        resource
        for statement in stack.statements(role)
        if action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


@pytest.mark.parametrize(("role", "granted"), GRANTED.items())
def test_role(stack: Stack, role: str, granted: set[str]) -> None:
    """Each role allows the calls that its code makes, each by its full name, and no others."""
    actions = {a for s in stack.statements(role) for a in as_list(s["Action"])}
    assert actions == granted
    assert not [action for action in actions if "*" in action]


@pytest.mark.parametrize("image", ["", "example/worker:1"])
def test_resources(image: str) -> None:
    """Only actions that know no resources are allowed on all of them."""
    for statement in template.stack(WorkerImage=image).all_statements():
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= ON_EVERYTHING


def test_every_role_is_known(stack: Stack) -> None:
    """The table above is complete, and each function has its own role."""
    assert set(stack.of_type("AWS::IAM::Role")) == set(GRANTED)
    for function, properties in stack.of_type("AWS::Lambda::Function").items():
        assert properties["Role"] == f"${{{FUNCTIONS[function]}.Arn}}"


def test_no_policies_of_aws(stack: Stack) -> None:
    """No role holds one of AWS's managed policies: they allow every log group of the account."""
    for role in stack.of_type("AWS::IAM::Role").values():
        assert set(role.get("ManagedPolicyArns", [])) <= {
            "${TracingPolicy}",
            "${OrchestratorPolicy}",
            "${SettlementPolicy}",
        }


@pytest.mark.parametrize(("function", "role"), FUNCTIONS.items())
def test_own_log(stack: Stack, function: str, role: str) -> None:
    """A function writes to its own log group alone and cannot create one."""
    group = stack.resources[function]["Properties"]["LoggingConfig"]["LogGroup"].strip("${}")
    for action in LOGGED:
        assert allowing(stack, role, action) == [f"${{{group}.Arn}}"]


@pytest.mark.parametrize("function", ["Sync", "Callback", "EventBridge"])
def test_own_executions(stack: Stack, function: str) -> None:
    """A durable function keeps the state of its own executions and reads no other's."""
    name = stack.resources[f"{function}LambdaFunction"]["Properties"]["FunctionName"]
    for action in DURABLE:
        [resource] = allowing(stack, f"{function}Role", action)
        assert resource == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:*"


def test_tasks_of_this_cluster(stack: Stack) -> None:
    """Every ECS call is bound to this stack's cluster."""
    statements = [s for s in stack.all_statements() if as_list(s["Action"])[0].startswith("ecs:")]
    assert len(statements) == 3 * 3 + 2 * 2
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


def test_callbacks_of_one_function(stack: Stack) -> None:
    """The task-state function answers callbacks of the EventBridge flow, by version."""
    name = stack.resources["EventBridgeLambdaFunction"]["Properties"]["FunctionName"]
    for action in GRANTED["TaskStateRole"]:
        if action.startswith("lambda:"):
            [resource] = allowing(stack, "TaskStateRole", action)
            assert resource == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:*"


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
    """Only the rules on events may put them into the queue for undelivered ones."""
    [policy] = stack.of_type("AWS::SQS::QueuePolicy").values()
    rules = [k for k, v in stack.of_type("AWS::Events::Rule").items() if "EventPattern" in v]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert policy["Queues"] == ["${UndeliveredEventsQueue}"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == "${UndeliveredEventsQueue.Arn}"
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": [f"${{{rule}.Arn}}" for rule in rules]}
    }


def test_unprocessed_events(stack: Stack) -> None:
    """Lambda may hand failed events on: it does so in the functions' roles."""
    for role in ("TaskStateRole", "ExecutionStatusRole"):
        [resource] = allowing(stack, role, "sqs:SendMessage")
        assert resource == "${UnprocessedEventsQueue.Arn}"


def test_failed_executions(stack: Stack) -> None:
    """Every durable function may keep what failed, in the queue that it names."""
    for function in ("SyncLambdaFunction", "CallbackLambdaFunction", "EventBridgeLambdaFunction"):
        properties = stack.resources[function]["Properties"]
        [resource] = allowing(stack, FUNCTIONS[function], "sqs:SendMessage")
        assert properties["DeadLetterConfig"]["TargetArn"] == resource
