from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python_testing.token import CallbackToken

from local.iam import Place, UnknownRequestError, accesses

WHERE = "us-east-1:123456789012"
CLUSTER = f"arn:aws:ecs:{WHERE}:cluster/mine"
TASK = f"arn:aws:ecs:{WHERE}:task/mine/0123"
TABLE = f"arn:aws:dynamodb:{WHERE}:table/records"
EXECUTION = f"arn:aws:lambda:{WHERE}:function:mine:1/durable-execution/name/id"
ROLES = ("arn:aws:iam::123456789012:role/task", "arn:aws:iam::123456789012:role/execution")
PLACE = Place("us-east-1", "123456789012", {"worker": ROLES})
IN_CLUSTER = {"ecs:cluster": (CLUSTER,)}
PASSED = {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}


def checked(service: str, operation: str, **parameters: Any) -> list[tuple[str, str, Any]]:
    """The parts of a request that AWS checks, without those that every request has."""
    found = []
    for access in accesses(service, operation, parameters, PLACE):
        context = dict(access.context)
        assert context.pop("aws:securetransport") == ("true",)
        found.append((access.action, access.resource, context))
    return found


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "action", "resource"),
    [
        ("lambda", "CheckpointDurableExecution", {"DurableExecutionArn": EXECUTION}, None, None),
        ("lambda", "GetDurableExecution", {"DurableExecutionArn": EXECUTION}, None, None),
        ("lambda", "GetDurableExecutionState", {"DurableExecutionArn": EXECUTION}, None, None),
        (
            "lambda",
            "SendDurableExecutionCallbackSuccess",
            {"CallbackId": CallbackToken(EXECUTION, "operation").to_str()},
            None,
            None,
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "mine", "Qualifier": "live"},
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{WHERE}:function:mine:live",
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": f"arn:aws:lambda:{WHERE}:function:mine:1"},
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{WHERE}:function:mine:1",
        ),
        (
            "lambda",
            "GetLayerVersionByArn",
            {"Arn": f"arn:aws:lambda:{WHERE}:layer:code:3"},
            "lambda:GetLayerVersion",
            f"arn:aws:lambda:{WHERE}:layer:code:3",
        ),
        (
            "logs",
            "GetLogEvents",
            {"logGroupName": "/ecs/mine", "logStreamName": "worker/worker/1"},
            None,
            f"arn:aws:logs:{WHERE}:log-group:/ecs/mine:log-stream:worker/worker/1",
        ),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "http://127.0.0.1:4500/123456789012/failed"},
            None,
            f"arn:aws:sqs:{WHERE}:failed",
        ),
        *(
            ("s3", operation, {"Bucket": "data", "Key": "a/b"}, action, "arn:aws:s3:::data/a/b")
            for operation, action in (
                ("AbortMultipartUpload", None),
                ("CompleteMultipartUpload", "s3:PutObject"),
                ("CreateMultipartUpload", "s3:PutObject"),
                ("DeleteObject", None),
                ("GetObject", None),
                ("HeadObject", "s3:GetObject"),
                ("PutObject", None),
                ("UploadPart", "s3:PutObject"),
            )
        ),
        (
            "s3",
            "GetObject",
            {"Bucket": "data", "Key": "a", "VersionId": "1"},
            "s3:GetObjectVersion",
            "arn:aws:s3:::data/a",
        ),
        ("s3", "HeadBucket", {"Bucket": "data"}, "s3:ListBucket", "arn:aws:s3:::data"),
        ("s3", "ListObjectsV2", {"Bucket": "data"}, "s3:ListBucket", "arn:aws:s3:::data"),
        ("ssm", "GetParameter", {"Name": "net"}, None, f"arn:aws:ssm:{WHERE}:parameter/net"),
        ("ssm", "GetParameter", {"Name": "/a/b:2"}, None, f"arn:aws:ssm:{WHERE}:parameter/a/b"),
        (
            "ssm",
            "GetParameter",
            {"Name": "arn:aws:ssm:eu-west-1:123456789012:parameter/net:now"},
            None,
            "arn:aws:ssm:eu-west-1:123456789012:parameter/net",
        ),
        ("xray", "PutTraceSegments", {}, None, "*"),
    ],
)
def test_one_access(
    service: str,
    operation: str,
    parameters: dict[str, Any],
    action: str | None,
    resource: str | None,
) -> None:
    """A request is checked by the action and on the resource that AWS documents for it."""
    [(checked_action, checked_resource, context)] = checked(service, operation, **parameters)
    assert checked_action == (action or f"{service}:{operation}")
    assert checked_resource == (resource or EXECUTION)
    assert context == {}


def test_object_with_more() -> None:
    """An object that is put with tags, or with rights of its own, takes a grant for each."""
    asked = {"Bucket": "data", "Key": "a", "Tagging": "a=b", "ACL": "private"}
    actions = [action for action, _, _ in checked("s3", "PutObject", **asked)]
    assert actions == ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"]


def test_launch() -> None:
    """A launch is checked on its task definition, and on each role that the task gets."""
    assert checked("ecs", "RunTask", cluster="mine", taskDefinition="worker:7") == [
        ("ecs:RunTask", f"arn:aws:ecs:{WHERE}:task-definition/worker:7", IN_CLUSTER),
        *[("iam:PassRole", role, PASSED) for role in ROLES],
    ]


def test_launch_of_the_newest() -> None:
    """A launch that names no revision has to be allowed for the bare family and for a revision."""
    found = checked("ecs", "RunTask", cluster=CLUSTER, taskDefinition="worker")
    launched = [resource for action, resource, _ in found if action == "ecs:RunTask"]
    family = f"arn:aws:ecs:{WHERE}:task-definition/worker"
    assert launched == [family, f"{family}:1"]


def test_launch_with_other_roles() -> None:
    """A launch that hands its task another role is checked on this one too."""
    other = "arn:aws:iam::123456789012:role/other"
    launch = {"taskDefinition": "worker:1", "overrides": {"taskRoleArn": other}}
    assert ("iam:PassRole", other, PASSED) in checked("ecs", "RunTask", **launch)


@pytest.mark.parametrize(
    "tags",
    [
        {"tags": [{"key": "a"}]},
        {"propagateTags": "TASK_DEFINITION"},
        {"enableECSManagedTags": True},
    ],
)
def test_launch_with_tags(tags: dict[str, Any]) -> None:
    """A launch that tags its task is checked for that too."""
    tagged = (
        "ecs:TagResource",
        f"arn:aws:ecs:{WHERE}:task/mine/*",
        {**IN_CLUSTER, "ecs:createaction": ("RunTask",)},
    )
    assert tagged in checked("ecs", "RunTask", cluster="mine", taskDefinition="worker:1", **tags)


@pytest.mark.parametrize("task", [TASK, "0123"])
def test_tasks(task: str) -> None:
    """Each task is checked by its ARN, however it is named, and with its cluster."""
    assert checked("ecs", "StopTask", cluster="mine", task=task) == [
        ("ecs:StopTask", TASK, IN_CLUSTER)
    ]
    assert checked("ecs", "DescribeTasks", cluster=CLUSTER, tasks=[task, f"{TASK}4"]) == [
        ("ecs:DescribeTasks", TASK, IN_CLUSTER),
        ("ecs:DescribeTasks", f"{TASK}4", IN_CLUSTER),
    ]


def test_list_of_tasks() -> None:
    """A list of tasks is checked on no resource, but with its cluster."""
    found = checked("ecs", "ListTasks", cluster=CLUSTER, startedBy="x")
    assert found == [("ecs:ListTasks", "*", IN_CLUSTER)]
    assert checked("ecs", "ListTasks")[0][2] == {
        "ecs:cluster": (f"arn:aws:ecs:{WHERE}:cluster/default",)
    }


@pytest.mark.parametrize(
    ("operation", "parameters", "resource", "attributes"),
    [
        ("GetItem", {"Key": {"executionId": {}}}, TABLE, {"executionId"}),
        (
            "GetItem",
            {"Key": {"executionId": {}}, "ProjectionExpression": "a, #b.#c, d[0].e"},
            TABLE,
            {"executionId", "a", "B", "d"},
        ),
        (
            "PutItem",
            {
                "Item": {"executionId": {}, "status": {}},
                "ConditionExpression": "attribute_not_exists (open)",
            },
            TABLE,
            {"executionId", "status", "open"},
        ),
        (
            "UpdateItem",
            {
                "Key": {"executionId": {}},
                "UpdateExpression": "SET a = if_not_exists(f, :f), x1 = y + :y REMOVE z ADD n :n",
                "ConditionExpression": "NOT contains(#b, :b) AND (g BETWEEN :h AND :i OR j IN(:k))",
            },
            TABLE,
            {"executionId", "a", "f", "x1", "y", "z", "n", "B", "g", "j"},
        ),
        ("Scan", {"FilterExpression": "attribute_not_exists(w)"}, TABLE, {"w"}),
        (
            "Query",
            {
                "IndexName": "open-index",
                "KeyConditionExpression": "#b = :b",
                "FilterExpression": "size(v) > :v",
            },
            f"{TABLE}/index/open-index",
            {"B", "v"},
        ),
    ],
)
def test_attributes(
    operation: str, parameters: dict[str, Any], resource: str, attributes: set[str]
) -> None:
    """An item's request is checked with every attribute that it names, its conditions' too."""
    given = {"TableName": "records", "ExpressionAttributeNames": {"#b": "B", "#c": "C"}}
    [found] = checked("dynamodb", operation, **given, **parameters)
    assert found[:2] == (f"dynamodb:{operation}", resource)
    assert set(found[2]["dynamodb:attributes"]) == attributes


def test_answer_of_a_write() -> None:
    """A write that asks for the item's old or new values is checked with that."""
    asked = {"TableName": TABLE, "Key": {"executionId": {}}, "ReturnValues": "ALL_OLD"}
    [(_, resource, context)] = checked("dynamodb", "UpdateItem", **asked)
    assert resource == TABLE
    assert context["dynamodb:returnvalues"] == ("ALL_OLD",)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "said"),
    [
        ("dynamodb", "DescribeTable", {}, "what IAM checks for DescribeTable of dynamodb"),
        ("s3", "GetObjectAcl", {}, "what IAM checks for GetObjectAcl of s3"),
        ("s3", "", {}, "an unnamed operation of s3: the request has no name that is known here"),
        ("dynamodb", "UpdateItem", {"TableName": "x", "Expected": {}}, "Expected is not known"),
        ("dynamodb", "UpdateItem", {}, "in no form that is known: KeyError"),
        ("dynamodb", "UpdateItem", {"TableName": 7}, "in no form that is known: AttributeError"),
        ("lambda", "Invoke", {"FunctionName": "a b"}, "in no form that is known: ValueError"),
        (
            "lambda",
            "SendDurableExecutionCallbackFailure",
            {"CallbackId": "x"},
            "lambda:SendDurableExecutionCallbackFailure is asked in no form that is known",
        ),
    ],
)
def test_unknown_requests(
    service: str, operation: str, parameters: dict[str, Any], said: str
) -> None:
    """A request of which nobody has said what AWS checks is an error, and no permission."""
    with pytest.raises(UnknownRequestError, match=said):
        checked(service, operation, **parameters)
