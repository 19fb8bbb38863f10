"""The resources that moto keeps for the stack: tables, queues, log groups, the cluster, others."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Protocol

import boto3

if TYPE_CHECKING:
    from boto3.resources.base import ServiceResource
    from botocore.client import BaseClient

    from local.gateway import Caller
    from local.iam.authority import Principal
    from local.stack import Stack


class Send(Protocol):
    """Puts a message into a queue."""

    def __call__(
        self, who: Principal, queue_arn: str, message: str, **attributes: str | int
    ) -> None:
        """Put a message with its attributes into the queue with that ARN.

        Raises:
            DeniedError: no policy grants that to the sender.
        """


class Account:
    """Plain boto3 clients.

    Args:
        stack: the stack whose resources it holds.
        person: the caller whose clients they are.
        endpoint: AWS's endpoint; without one, the services that moto stands in for.
        session: the clients' boto3 session; by default the process's own.
    """

    def __init__(
        self,
        stack: Stack,
        person: Caller,
        endpoint: str | None = None,
        session: boto3.Session | None = None,
    ) -> None:
        self._stack, self._session = stack, session or boto3
        self._clients: dict[str, BaseClient] = {}
        self._lock = threading.Lock()
        self._where = {
            "region_name": stack.region,
            "endpoint_url": endpoint,
            "aws_access_key_id": person.access_key,
            "aws_secret_access_key": person.secret,
        }

    def client(self, service: str) -> BaseClient:
        """Return the account's client of a service; threads may share it."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, **self._where)
            return self._clients[service]

    def table(self, name: str) -> ServiceResource:
        """Return a DynamoDB table of the local endpoint."""
        return self._session.resource("dynamodb", **self._where).Table(name)

    def create(self) -> None:
        """Make the resources that moto keeps, as the template has them."""
        for table in self._stack.of_type("AWS::DynamoDB::Table").values():
            self._create_table(table)
        for queue in self._stack.of_type("AWS::SQS::Queue").values():
            self.client("sqs").create_queue(QueueName=queue["QueueName"])
        for group in self._stack.of_type("AWS::Logs::LogGroup").values():
            self.client("logs").create_log_group(logGroupName=group["LogGroupName"])
        for bucket in self._stack.of_type("AWS::S3::Bucket").values():
            # S3 names no location for the first Region.
            elsewhere = {"LocationConstraint": self._stack.region}
            where = {"CreateBucketConfiguration": elsewhere} if self._is_elsewhere else {}
            self.client("s3").create_bucket(Bucket=bucket["BucketName"], **where)
        for parameter in self._stack.of_type("AWS::SSM::Parameter").values():
            self.client("ssm").put_parameter(**parameter)
        for cluster in self._stack.of_type("AWS::ECS::Cluster").values():
            self.client("ecs").create_cluster(
                clusterName=cluster["ClusterName"],
                capacityProviders=cluster.get("CapacityProviders", []),
            )
        for logical_id, rule in self._stack.of_type("AWS::Events::Rule").items():
            self._create_rule(self._stack.arn(logical_id).rpartition("/")[2], rule)

    @property
    def _is_elsewhere(self) -> bool:
        return bool(self._stack.region != "us-east-1")

    def _create_rule(self, name: str, properties: dict[str, Any]) -> None:
        events, given = self.client("events"), dict(properties)
        targets = given.pop("Targets", [])
        if "EventPattern" in given:
            given["EventPattern"] = json.dumps(given["EventPattern"])
        events.put_rule(**{**given, "Name": name})
        if targets:
            events.put_targets(Rule=name, Targets=targets)

    def _create_table(self, properties: dict[str, Any]) -> None:
        dynamodb = self.client("dynamodb")
        known = dynamodb.meta.service_model.operation_model("CreateTable").input_shape.members
        given = {name: value for name, value in properties.items() if name in known}
        if "SSESpecification" in given:
            # CloudFormation's name for the member differs from the API's.
            given["SSESpecification"] = {"Enabled": given["SSESpecification"]["SSEEnabled"]}
        dynamodb.create_table(**given)
        if expiry := properties.get("TimeToLiveSpecification"):
            dynamodb.update_time_to_live(
                TableName=properties["TableName"], TimeToLiveSpecification=expiry
            )

    def send(self, queue_arn: str, message: str, **attributes: str | int) -> None:
        """Put a message with its attributes into a queue."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        typed = {
            name: {
                "DataType": "Number" if isinstance(value, int) else "String",
                "StringValue": str(value),
            }
            for name, value in attributes.items()
        }
        sqs.send_message(QueueUrl=url, MessageBody=message, MessageAttributes=typed)
