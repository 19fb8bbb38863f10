"""Types of named resources: for each, how to find one by its name and how to delete it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _name(_answer: Mapping[str, Any], name: str) -> str:
    return name


def _group(answer: Mapping[str, Any], name: str) -> str:
    # The answer has all groups whose names begin so, the shortest first.
    return name if any(group["logGroupName"] == name for group in answer["logGroups"]) else ""


def _cluster(answer: Mapping[str, Any], name: str) -> str:
    # ECS shows a deleted cluster for a while.
    return name if any(c["status"] != "INACTIVE" for c in answer["clusters"]) else ""


def _alarm(answer: Mapping[str, Any], name: str) -> str:
    return name if answer["MetricAlarms"] else ""


def _queue(answer: Mapping[str, Any], _name: str) -> str:
    return str(answer["QueueUrl"])


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resource whose names are unique.

    Attributes:
        plural: people's word for several of it.
        service: boto3's name of its service.
        operation: boto3's name of the call that finds it.
        given: makes the call's parameters of the name.
        delete: the command that deletes it, with `{}` for its name.
        longest: the highest length of its name.
        absent: error codes that say that there is none.
        physical_id: returns CloudFormation's id of the resource in an answer; empty if it has none.
    """

    plural: str
    service: str
    operation: str
    given: Callable[[str], dict[str, Any]]
    delete: str
    longest: int
    absent: frozenset[str] = frozenset({"ResourceNotFoundException"})
    physical_id: Callable[[Mapping[str, Any], str], str] = _name


KINDS: Mapping[str, Kind] = {
    "AWS::Logs::LogGroup": Kind(
        "log groups",
        "logs",
        "describe_log_groups",
        lambda name: {"logGroupNamePrefix": name},
        "aws logs delete-log-group --log-group-name {}",
        512,
        physical_id=_group,
    ),
    "AWS::DynamoDB::Table": Kind(
        "tables",
        "dynamodb",
        "describe_table",
        lambda name: {"TableName": name},
        "aws dynamodb delete-table --table-name {}",
        255,
    ),
    "AWS::SQS::Queue": Kind(
        "queues",
        "sqs",
        "get_queue_url",
        lambda name: {"QueueName": name},
        'aws sqs delete-queue --queue-url "$(aws sqs get-queue-url --queue-name {} --output text)"',
        80,
        frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}),
        _queue,
    ),
    "AWS::ECS::Cluster": Kind(
        "clusters",
        "ecs",
        "describe_clusters",
        lambda name: {"clusters": [name]},
        "aws ecs delete-cluster --cluster {}",
        255,
        physical_id=_cluster,
    ),
    "AWS::Lambda::Function": Kind(
        "functions",
        "lambda",
        "get_function_configuration",
        lambda name: {"FunctionName": name},
        "aws lambda delete-function --function-name {}",
        64,
    ),
    "AWS::CloudWatch::Alarm": Kind(
        "alarms",
        "cloudwatch",
        "describe_alarms",
        lambda name: {"AlarmNames": [name]},
        "aws cloudwatch delete-alarms --alarm-names {}",
        255,
        physical_id=_alarm,
    ),
    "AWS::CloudWatch::Dashboard": Kind(
        "dashboards",
        "cloudwatch",
        "get_dashboard",
        lambda name: {"DashboardName": name},
        "aws cloudwatch delete-dashboards --dashboard-names {}",
        255,
        frozenset({"ResourceNotFound"}),
    ),
    "AWS::IAM::Role": Kind(
        "roles",
        "iam",
        "get_role",
        lambda name: {"RoleName": name},
        "aws iam delete-role --role-name {}",
        64,
        frozenset({"NoSuchEntity"}),
    ),
    "AWS::S3::Bucket": Kind(
        "buckets",
        "s3",
        "get_bucket_location",
        lambda name: {"Bucket": name},
        "aws s3api delete-bucket --bucket {}",
        63,
        frozenset({"NoSuchBucket"}),
    ),
}
# The name of these may exist before: it gets another version, or belongs to a function.
VERSIONED = frozenset(
    {"AWS::ECS::TaskDefinition", "AWS::Lambda::Alias", "AWS::Lambda::LayerVersion"}
)


def name_of(kind: str, properties: Mapping[str, Any]) -> str:
    """Return the name that a template gives to a resource; empty if it gives none.

    CloudFormation's property is the type's last word and Name, for example TableName, or just Name.
    """
    if kind in VERSIONED:
        return ""
    last = kind.rpartition("::")[2]
    return str(properties.get(f"{last}Name") or properties.get("Name") or "")
