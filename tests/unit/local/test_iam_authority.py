from __future__ import annotations

import pytest

from local.iam import Access
from local.iam.authority import Authority, DeniedError, Grant, Service, Session
from local.stack import Stack
from local.stack.stack import PROJECT

STACK = Stack(PROJECT / "template.yaml", "http://127.0.0.1", {"WorkerImage": "local"})
TABLE, CLUSTER = STACK.arn("CallbackTable"), STACK.arn("Cluster")
QUEUE, RULE = STACK.arn("UndeliveredEventsQueue"), STACK.arn("TaskStateFunctionTaskStateChange")
WORKER = Session("TaskRole", "0123")
READ, WRITE = Access("dynamodb:GetItem", TABLE), Access("dynamodb:PutItem", TABLE)
SEND = Access("sqs:SendMessage", QUEUE)


@pytest.fixture
def authority() -> Authority:
    """The authority that decides by template.yaml."""
    return Authority(STACK)


def test_role(authority: Authority) -> None:
    """A session may do what its own role allows, and nothing that only another one's does."""
    assert authority.allows(Session("SyncRole", "sync"), READ)
    assert not authority.allows(WORKER, READ)
    assert not authority.allows(Session("", "nobody"), READ)


def test_person(authority: Authority) -> None:
    """A person may do everything, and what she does is no use of a grant."""
    authority.check(None, Access("iam:CreateUser", "*"))
    assert authority.used == set()


def test_words_for_a_role(authority: Authority) -> None:
    """A refusal names role, action and resource as AWS does, and is remembered."""
    with pytest.raises(DeniedError) as denied:
        authority.check(WORKER, READ)
    said = (
        f"User: arn:aws:sts::123456789012:assumed-role/{STACK.name}-TaskRole/0123 is not "
        f"authorized to perform: dynamodb:GetItem on resource: {TABLE} because no "
        "identity-based policy allows the dynamodb:GetItem action"
    )
    assert str(denied.value) == said
    assert authority.refused() == [f"AccessDenied: {said}"]


def test_words_for_a_service(authority: Authority) -> None:
    """A service's refusal names the service and what it acts for."""
    with pytest.raises(DeniedError) as denied:
        authority.check(Service("events.amazonaws.com", CLUSTER), SEND)
    assert str(denied.value) == (
        f"Service: events.amazonaws.com for {CLUSTER} is not authorized to perform: "
        f"sqs:SendMessage on resource: {QUEUE} because no resource-based policy allows the "
        "sqs:SendMessage action"
    )


def test_refusals_are_remembered_once(authority: Authority) -> None:
    """A call that is refused again and again is reported once."""
    for _ in range(3):
        assert not authority.allows(WORKER, READ)
    assert not authority.allows(WORKER, WRITE)
    assert len(authority.refused()) == 2


def test_service(authority: Authority) -> None:
    """A service may do what the resource allows it, for the sources that this names."""
    assert authority.allows(Service("events.amazonaws.com", RULE), SEND)
    assert not authority.allows(Service("s3.amazonaws.com", RULE), SEND)
    assert not authority.allows(Service("events.amazonaws.com", CLUSTER), SEND)


@pytest.mark.parametrize(
    ("service", "source", "role", "expected"),
    [
        ("lambda.amazonaws.com", STACK.arn("SyncLambdaFunction"), "SyncRole", True),
        ("ecs-tasks.amazonaws.com", f"{CLUSTER}/1", "SyncRole", False),
        ("ecs-tasks.amazonaws.com", CLUSTER.replace("cluster", "task"), "TaskRole", True),
        ("ecs-tasks.amazonaws.com", CLUSTER.replace("us-east-1", "eu-west-1"), "TaskRole", False),
        ("lambda.amazonaws.com", STACK.arn("SyncLambdaFunction"), "TaskRole", False),
    ],
)
def test_taken_roles(
    authority: Authority, service: str, source: str, role: str, expected: bool
) -> None:
    """A role can be taken by the service that it trusts, under the conditions of its trust."""
    taken = Access("sts:AssumeRole", STACK.arn(role))
    assert authority.allows(Service(service, source), taken) is expected


def test_rules_of_people(authority: Authority) -> None:
    """A rule of the template acts by the template's policies; a person's rule may do everything."""
    assert authority.events(RULE) == Service("events.amazonaws.com", RULE)
    assert authority.events(f"{RULE}-of-mine") is None


def test_used_grants(authority: Authority) -> None:
    """A grant is used once something was allowed by it, and belongs to the role that used it."""
    authority.check(Session("SyncRole", "sync"), READ)
    used = Grant("SyncRole", "dynamodb:GetItem", "dynamodb:table/<stack>-callbacks")
    assert authority.used == {used}
    assert used in authority.grants
    assert used._replace(holder="CallbackRole") in authority.grants


def test_grants_of_resources(authority: Authority) -> None:
    """The policy of a queue, a function or a role itself is a grant, too."""
    authority.check(Service("events.amazonaws.com", RULE), SEND)
    queue = Grant("UndeliveredEventsQueuePolicy", SEND.action, "sqs:<stack>-undelivered-events")
    assert authority.used == {queue}
    trust = Grant("SyncRole", "sts:AssumeRole", "iam:role/<stack>-SyncRole")
    assert {queue, trust} <= authority.grants
    assert all(grant.action for grant in authority.grants)
