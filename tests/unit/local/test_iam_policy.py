from __future__ import annotations

from typing import Any

import pytest

from local.errors import UnsupportedError
from local.iam import Access, decide, read

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/records"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function"


def statement(**elements: Any) -> dict[str, Any]:
    """A statement that allows one action on one resource, but for what is given."""
    return {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, **elements}


def document(*statements: object) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def is_allowed(access: Access, *statements: dict[str, Any]) -> bool:
    """Whether a role with these statements may do something."""
    return decide(list(read(document(*statements), "Role")), access).is_allowed


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("dynamodb:GetItem", "dynamodb:GetItem", True),
        ("DynamoDB:getitem", "dynamodb:GetItem", True),
        ("dynamodb:GetItem", "dynamodb:GetItems", False),
        ("dynamodb:Get*", "dynamodb:GetItem", True),
        ("dynamodb:*Item", "dynamodb:UpdateItem", True),
        ("dynamodb:?etItem", "dynamodb:GetItem", True),
        ("dynamodb:?etItem", "dynamodb:etItem", False),
        ("dynamodb:*", "sqs:SendMessage", False),
        ("*", "sqs:SendMessage", True),
    ],
)
def test_actions(pattern: str, action: str, expected: bool) -> None:
    """An action is named in any case, by its name or by wildcards."""
    allowed = is_allowed(Access(action, TABLE), statement(Action=pattern))
    assert allowed is expected


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        (TABLE, TABLE, True),
        (TABLE, f"{TABLE}/index/open-index", False),
        (f"{TABLE}/index/*", f"{TABLE}/index/open-index", True),
        (TABLE.upper(), TABLE, False),
        ("*", TABLE, True),
        (TABLE.replace("records", "record?"), TABLE, True),
        (TABLE.replace("records", "records?"), TABLE, False),
        (TABLE.replace("records", "r*s"), TABLE, True),
        (TABLE.replace("us-east-1", "*"), TABLE, True),
        # A * at the end of a part reaches over colons, another one does not.
        (f"{FUNCTION}:mine:*", f"{FUNCTION}:mine:1/durable-execution/name/id", True),
        (f"{FUNCTION}:mine*", f"{FUNCTION}:mine:1/durable-execution/name/id", True),
        (f"{FUNCTION}:mine:*", f"{FUNCTION}:mine", False),
        (f"{FUNCTION}:m*e", f"{FUNCTION}:m:e", False),
        (f"{FUNCTION}:m?e", f"{FUNCTION}:m:e", False),
        # Nothing else has a meaning of its own.
        (TABLE.replace("records", "rec.rds"), TABLE, False),
    ],
)
def test_resources(pattern: str, resource: str, expected: bool) -> None:
    """A resource is named in its own case, by its ARN or by wildcards."""
    allowed = is_allowed(Access("dynamodb:GetItem", resource), statement(Resource=pattern))
    assert allowed is expected


READ = Access("dynamodb:GetItem", TABLE)
DENIED = statement(Effect="Deny")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Action=["dynamodb:PutItem", "dynamodb:GetItem"])], True),
        ([statement(Action="dynamodb:PutItem")], False),
        ([DENIED], False),
        ([DENIED, statement()], False),
        ([statement(), DENIED], False),
        ([statement(), statement(Effect="Deny", Action="dynamodb:PutItem")], True),
        ([statement(Condition={"Null": {"ecs:cluster": "false"}}), statement()], True),
        ([statement(Condition={"Null": {"ecs:cluster": "false"}})], False),
    ],
)
def test_decision(statements: list[dict[str, Any]], expected: bool) -> None:
    """An explicit Deny wins, any Allow is enough, and an access without a rule is refused."""
    assert is_allowed(READ, *statements) is expected


def test_one_statement_for_all() -> None:
    """A document may hold one statement without a list."""
    rules = list(read({"Version": "2012-10-17", "Statement": statement()}, "Role"))
    assert decide(rules, READ).is_allowed


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}])
def test_older_version(version: dict[str, str]) -> None:
    """A document of IAM's older version, which one without a version is, says the same."""
    rules = list(read({"Statement": statement(), **version}, "Role"))
    assert decide(rules, READ).is_allowed


def test_what_decided() -> None:
    """A decision names the action and the resource of the statement that it follows from."""
    rules = list(read(document(statement(Action=["dynamodb:Query", "dynamodb:G*"])), "MyRole"))
    rule = decide(rules, READ).rule
    assert rule is not None
    assert (rule.place, rule.action, rule.resource) == ("MyRole, statement 1", "dynamodb:G*", TABLE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (document(statement(NotAction="dynamodb:GetItem")), "statement 1: NotAction is not known"),
        (document(statement(), statement(NotResource="*")), "statement 2: NotResource is not"),
        (document(statement(Principal="*")), "statement 1: a role's policy has no Principal"),
        (document(statement(Effect="allow")), "statement 1: an Effect is Allow or Deny"),
        (document({"Effect": "Allow", "Action": "sqs:*"}), "statement 1: Resource is missing"),
        (document(statement(Action="GetItem")), "statement 1: 'GetItem' is no action"),
        (
            document(statement(Resource="arn:aws:s3:::${aws:username}")),
            "statement 1: 'arn:aws:s3:::${aws:username}' is a policy variable",
        ),
        (document("Allow"), "statement 1: a mapping is expected, not 'Allow'"),
        ({"Version": "2012-10-18", "Statement": []}, "the Version '2012-10-18' is not known here"),
        ({"Version": "2012-10-17", "Statement": [], "Also": 1}, "Also is not known here"),
    ],
)
def test_unknown_elements(wrong: dict[str, Any], said: str) -> None:
    """A policy with an element that is not known is refused, and its place is named."""
    with pytest.raises(UnsupportedError) as refused:
        list(read(wrong, "MyRole"))
    assert "MyRole" in str(refused.value)
    assert said in str(refused.value)


def test_policies_of_resources() -> None:
    """A resource's own policy says whom it speaks of: services, or anybody."""
    sends = statement(Principal={"Service": "events.amazonaws.com"})
    refuses = statement(Principal="*", Effect="Deny")
    found = list(read(document(sends, refuses), "Queue", shared=True))
    assert [set(rule.principals or ()) for rule in found] == [{"events.amazonaws.com"}, {"*"}]


@pytest.mark.parametrize("principal", [{"AWS": "123456789012"}, {"Federated": "x"}, "me"])
def test_unknown_principals(principal: object) -> None:
    """A principal that is neither a service nor anybody is refused, and its place is named."""
    policy = document(statement(Principal=principal))
    with pytest.raises(UnsupportedError, match="Queue, statement 1: the Principal"):
        list(read(policy, "Queue", shared=True))
