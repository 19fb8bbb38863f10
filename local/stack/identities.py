"""CloudFormation's names of a resource: its `Ref` and its attributes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.errors import TemplateError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The property that names a resource, and the ARN that the name makes.
_NAMED: Mapping[str, tuple[str, str]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::CloudWatch::Dashboard": ("DashboardName", "cloudwatch::{account}:dashboard/{name}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::ECS::Cluster": ("ClusterName", "ecs:{region}:{account}:cluster/{name}"),
    "AWS::ECS::TaskDefinition": ("Family", "ecs:{region}:{account}:task-definition/{name}:1"),
    "AWS::Events::Rule": ("Name", "events:{region}:{account}:rule/{name}"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "iam::{account}:policy/{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::S3::Bucket": ("BucketName", "s3:::{name}"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::SSM::Parameter": ("Name", "ssm:{region}:{account}:parameter/{name}"),
}
_REF_IS_ARN = frozenset({"AWS::ECS::TaskDefinition", "AWS::IAM::ManagedPolicy"})
# The first letters of EC2's ids.
_IDS: Mapping[str, str] = {"AWS::EC2::SecurityGroup": "sg", "AWS::EC2::Subnet": "subnet"}
FIRST_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Identities:
    """Names the resources of one stack.

    Attributes:
        resources: resources of the translated template, by logical id.
        fill: evaluates the intrinsic functions in a property.
    """

    resources: Mapping[str, Mapping[str, Any]]
    fill: Callable[[object], str]
    stack: str
    region: str
    account: str
    endpoint: str

    def ref(self, logical_id: str) -> str:
        """Return a resource's `Ref`."""
        kind = self._resource(logical_id)["Type"]
        if kind == "AWS::SQS::Queue":
            return f"{self.endpoint}/{self.account}/{self._name(logical_id)}"
        if kind in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            return f"{self._function_arn(logical_id)}:{self._qualifier(logical_id)}"
        return self._arn(logical_id) if kind in _REF_IS_ARN else self._name(logical_id)

    def attribute(self, logical_id: str, name: str) -> str:
        """Return a resource's `Fn::GetAtt`.

        Raises:
            UnsupportedError: the attribute is not known here.
        """
        if name == "Arn":
            return self._arn(logical_id)
        if name == "Version":
            return FIRST_VERSION
        if name in self.named(logical_id):
            return self._name(logical_id)
        raise self._unknown(logical_id, name)

    def named(self, logical_id: str) -> dict[str, str]:
        """Return the property that names a resource, whether the template has it or not."""
        kind = self._resource(logical_id)["Type"]
        return {_NAMED[kind][0]: self._name(logical_id)} if kind in _NAMED else {}

    def _name(self, logical_id: str) -> str:
        resource = self._resource(logical_id)
        name, _ = _NAMED.get(resource["Type"], ("", ""))
        given = resource.get("Properties", {}).get(name)
        if kind := _IDS.get(resource["Type"]):
            digest = hashlib.sha256(f"{self.stack} {logical_id}".encode())
            return f"{kind}-{digest.hexdigest()[:17]}"
        if given:
            return self.fill(given)
        if resource["Type"] == "AWS::S3::Bucket":
            return self._bucket(logical_id)
        return f"{self.stack}-{logical_id}"

    def _bucket(self, logical_id: str) -> str:
        """Return a bucket's name, which is unique in the world: lower case, at most 63 letters."""
        digest = hashlib.sha256(f"{self.region} {self.stack} {logical_id}".encode()).hexdigest()
        return f"{self.stack}-{logical_id}".lower()[:50].rstrip("-") + f"-{digest[:12]}"

    def _arn(self, logical_id: str) -> str:
        kind = self._resource(logical_id)["Type"]
        if kind not in _NAMED:
            raise self._unknown(logical_id, "Arn")
        _, form = _NAMED[kind]
        # In an ARN, a role's path comes before its name.
        path = self._resource(logical_id).get("Properties", {}).get("Path", "/")
        name = f"{self.fill(path).removeprefix('/')}{self._name(logical_id)}"
        return "arn:aws:" + form.format(region=self.region, account=self.account, name=name)

    def _resource(self, logical_id: str) -> Mapping[str, Any]:
        if logical_id not in self.resources:
            raise TemplateError(f"It names {logical_id}, and has no such resource.")
        return self.resources[logical_id]

    def _unknown(self, logical_id: str, attribute: str) -> UnsupportedError:
        kind = self._resource(logical_id)["Type"]
        return UnsupportedError(f"{logical_id} ({kind}): {attribute} is not known here")

    def _function_arn(self, logical_id: str) -> str:
        return self._arn(self.resources[logical_id]["Properties"]["FunctionName"]["Ref"])

    def _qualifier(self, logical_id: str) -> str:
        return str(self.resources[logical_id]["Properties"].get("Name", FIRST_VERSION))
