from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.errors import TemplateError, UnsupportedError
from local.stack import Stack
from local.stack.intrinsics import Intrinsics
from local.stack.stack import PROJECT
from tests.template import source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack as the local system deploys it."""
    return Stack(PROJECT / "template.yaml", "http://127.0.0.1:1", {"WorkerImage": "local"})


def test_outputs(stack: Stack) -> None:
    """Every output has a value, and those that users copy have the documented names."""
    assert stack.outputs.keys() == source()["Outputs"].keys()
    assert stack.outputs["CallbackTableName"] == f"{stack.name}-callbacks"
    assert stack.outputs["SyncLambdaFunctionArn"] == (
        f"arn:aws:lambda:{stack.region}:{stack.account}:function:{stack.name}-sync-function:live"
    )
    assert stack.outputs["UnprocessedEventsQueueUrl"] == (
        f"http://127.0.0.1:1/{stack.account}/{stack.name}-unprocessed-events"
    )


def test_everything_is_filled_in(stack: Stack) -> None:
    """No property of a resource that the local system makes keeps an intrinsic function."""
    kinds = {resource["Type"] for resource in source()["Resources"].values()}
    for kind in (kinds - {"AWS::SQS::QueuePolicy"}) | {"AWS::Lambda::Function"}:
        assert "Fn::" not in str(stack.of_type(kind))


def test_conditions(stack: Stack) -> None:
    """A resource that the parameters leave out is not there: an own image needs no layer."""
    assert stack.of_type("AWS::Lambda::LayerVersion") == {}


def test_unknown_function(stack: Stack) -> None:
    """A function of CloudFormation's that is not known here is named, not passed over."""
    filling = Intrinsics({}, {}, stack._intrinsics.references)  # noqa: SLF001 - its names
    with pytest.raises(UnsupportedError, match="Fn::Base64"):
        filling.fill({"a": [{"Fn::Base64": "text"}]})


def test_sub_with_values_of_its_own(stack: Stack) -> None:
    """Fn::Sub puts in values that it is given beside the text, before the template's names."""
    text = "${table} of ${CallbackTable} in ${AWS::Region}"
    given = {"table": {"Ref": "IdempotencyTable"}, "AWS::Region": "x"}
    filling = stack._intrinsics  # noqa: SLF001 - its names
    name = f"{stack.name}-idempotency of {stack.name}-callbacks"
    assert filling.fill({"Fn::Sub": [text, given]}) == f"{name} in x"


RESOURCE = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a: [", "It is not YAML"),
        (b"\xff\xfe", "It is not YAML"),
        (b"a sentence", "It has no Resources"),
        (b"Resources: {Topic: {}}", "Its resource Topic has no Type"),
        (b"Resources: {F: {Type: 'AWS::Serverless::Function'}}", r"\[F\]"),
        (f"Parameters: {{P: {{Type: String}}}}\n{RESOURCE}".encode(), "no default: P"),
        (f"Outputs: {{O: {{Value: !Ref X}}}}\n{RESOURCE}".encode(), "It names X"),
        (f"Outputs: {{O: {{Value: !GetAtt Topic.Arn}}}}\n{RESOURCE}".encode(), "AWS::SNS::Topic"),
    ],
)
def test_template_that_cannot_be_run(tmp_path: Path, text: bytes, why: str) -> None:
    """A file that is no template, or refers to what is not there, is refused with a reason."""
    template = tmp_path / "template.yaml"
    template.write_bytes(text)
    with pytest.raises(TemplateError, match=why):
        Stack(template, "http://127.0.0.1:1").outputs.items()


def test_resources_without_names(tmp_path: Path) -> None:
    """A resource that the template leaves without a name gets one, as in CloudFormation."""
    own = source()
    own["Resources"] |= {
        "MoreQueue": {"Type": "AWS::SQS::Queue"},
        "MoreTable": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
    }
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(own))
    made = Stack(path, "http://127.0.0.1:1", {"WorkerImage": "local"})
    assert made.of_type("AWS::SQS::Queue")["MoreQueue"]["QueueName"] == f"{made.name}-MoreQueue"
    assert (
        made.of_type("AWS::DynamoDB::Table")["MoreTable"]["TableName"] == f"{made.name}-MoreTable"
    )


def test_path_of_a_role(tmp_path: Path) -> None:
    """A role that lies under a path has it in its ARN, and is called by its name alone."""
    own = source()
    properties = {"Path": {"Fn::Sub": "/${AWS::StackName}/"}, "AssumeRolePolicyDocument": {}}
    own["Resources"]["MoreRole"] = {"Type": "AWS::IAM::Role", "Properties": properties}
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(own))
    made = Stack(path, "http://127.0.0.1:1", {"WorkerImage": "local"})
    where = f"arn:aws:iam::{made.account}:role"
    assert made.arn("MoreRole") == f"{where}/{made.name}/{made.name}-MoreRole"
    assert made.role(made.arn("MoreRole")) == "MoreRole"
    assert made.arn("TaskRole") == f"{where}/{made.name}-TaskRole"
    names = {name: called for name, called, _ in made.resources()}
    assert names["MoreRole"] == f"{made.name}-MoreRole"
