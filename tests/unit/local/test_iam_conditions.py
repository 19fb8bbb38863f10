from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.errors import UnsupportedError
from local.iam import conditions

if TYPE_CHECKING:
    from local.iam.access import Context

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/mine"
COLUMNS = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["status", "result"]}}
PRESENT = {"Null": {"dynamodb:Attributes": "false"}}
NO_ANSWER = {"StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"}}


def columns(*names: str) -> Context:
    """The context of a request that names these attributes."""
    return {"dynamodb:attributes": names}


def source(arn: str, account: str = "123456789012") -> Context:
    """The context of a service that acts for a resource."""
    return {"aws:sourcearn": (arn,), "aws:sourceaccount": (account,)}


def holds(block: dict[str, dict[str, Any]], context: Context) -> bool:
    """Whether all conditions of a statement hold."""
    return all(condition.holds(context) for condition in conditions.read(block, "Role"))


@pytest.mark.parametrize(
    ("block", "context", "expected"),
    [
        # No condition at all.
        ({}, {}, True),
        # StringEquals: as it is written, and one of several is enough.
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, source(CLUSTER), True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, source(CLUSTER), False),
        ({"StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}, source(CLUSTER), True),
        ({"StringEquals": {"iam:PassedToService": "a"}}, {"iam:passedtoservice": ("A",)}, False),
        ({"StringEquals": {"iam:PassedToService": "*"}}, {"iam:passedtoservice": ("a",)}, False),
        # The key's name has no case.
        ({"StringEquals": {"AWS:sourceaccount": "123456789012"}}, source(CLUSTER), True),
        # A key that is not there: not equal, unless IfExists.
        ({"StringEquals": {"dynamodb:ReturnValues": "NONE"}}, {}, False),
        (NO_ANSWER, {}, True),
        (NO_ANSWER, {"dynamodb:returnvalues": ("NONE",)}, True),
        (NO_ANSWER, {"dynamodb:returnvalues": ("ALL_OLD",)}, False),
        # ForAllValues: no value may be another one; none at all is fine.
        (COLUMNS, columns("status"), True),
        (COLUMNS, columns("status", "result"), True),
        (COLUMNS, columns("status", "taskArn"), False),
        (COLUMNS, columns("Status"), False),
        (COLUMNS, columns(), True),
        (COLUMNS, {}, True),
        # Null: the key has to be there, or must not be.
        (PRESENT, columns("anything"), True),
        (PRESENT, {}, False),
        (PRESENT, columns(), False),
        ({"Null": {"dynamodb:Attributes": "true"}}, {}, True),
        ({"Null": {"dynamodb:Attributes": "true"}}, columns("anything"), False),
        ({"Null": {"dynamodb:Attributes": True}}, {}, True),
        # Several operators and keys: all have to hold.
        (COLUMNS | PRESENT, {}, False),
        (COLUMNS | PRESENT, columns("status"), True),
        (COLUMNS | NO_ANSWER, {**columns("status"), "dynamodb:returnvalues": ("X",)}, False),
        # ArnEquals and ArnLike are the same: each part for itself, with wildcards, in its case.
        ({"ArnEquals": {"ecs:cluster": CLUSTER}}, {"ecs:cluster": (CLUSTER,)}, True),
        ({"ArnEquals": {"ecs:cluster": CLUSTER}}, {"ecs:cluster": (f"{CLUSTER}s",)}, False),
        ({"ArnEquals": {"ecs:cluster": f"{CLUSTER}*"}}, {"ecs:cluster": (f"{CLUSTER}s",)}, True),
        ({"ArnLike": {"ecs:cluster": CLUSTER}}, {"ecs:cluster": (CLUSTER.upper(),)}, False),
        ({"ArnLike": {"ecs:cluster": CLUSTER}}, {}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:*:*"}}, source(CLUSTER), True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:ec?:*:*:*"}}, source(CLUSTER), True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sqs:*:*:*"}}, source(CLUSTER), False),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:*"}},
            source("arn:aws:lambda:us-east-1:123456789012:function:mine:live"),
            True,
        ),
        # A part's wildcard stays in its part, but for the last part, which may hold colons.
        ({"ArnLike": {"aws:SourceArn": "arn:*:x:y:z:mine"}}, source("arn:a:b:x:y:z:mine"), False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:*:*"}}, source("no-arn"), False),
        # Bool.
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": ("true",)}, False),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws:securetransport": ("true",)}, True),
        ({"Bool": {"aws:SecureTransport": "False"}}, {"aws:securetransport": ("false",)}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {}, False),
    ],
)
def test_conditions(block: dict[str, dict[str, Any]], context: Context, expected: bool) -> None:
    """A condition holds for the requests for which IAM documents that it does."""
    assert holds(block, context) is expected


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"StringLike": {"ecs:cluster": "x"}}, "the operator StringLike is not known here"),
        ({"StringNotEquals": {"ecs:cluster": "x"}}, "the operator StringNotEquals is not known"),
        ({"NullIfExists": {"ecs:cluster": "true"}}, "the operator NullIfExists is not known"),
        (
            {"ForAnyValue:StringEquals": {"dynamodb:Attributes": "x"}},
            "the operator ForAnyValue:StringEquals is not known",
        ),
        ({"StringEquals": {"aws:username": "x"}}, "the condition key aws:username is not known"),
        (
            {"StringEquals": {"dynamodb:Attributes": "x"}},
            "dynamodb:Attributes takes ForAllValues: here",
        ),
        (
            {"ForAllValues:StringEquals": {"dynamodb:ReturnValues": "x"}},
            "dynamodb:ReturnValues takes no ForAllValues: here",
        ),
        ({"StringEquals": {"aws:SourceArn": "${aws:username}"}}, "is a policy variable"),
        ({"ArnLike": {"aws:SourceArn": "mine"}}, "'mine' is no ARN"),
        ({"Null": {"aws:SourceArn": "no"}}, "'no' is neither true nor false"),
        ({"Bool": {"aws:SecureTransport": "yes"}}, "'yes' is neither true nor false"),
    ],
)
def test_unknown_conditions(block: dict[str, dict[str, Any]], said: str) -> None:
    """A condition that is not known is refused, and its place is named."""
    with pytest.raises(UnsupportedError) as refused:
        holds(block, {})
    assert str(refused.value).startswith("Role, ")
    assert said in str(refused.value)
