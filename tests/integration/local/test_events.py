from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from moto.sqs.models import SQSBackend

from local.events import DeliveryError
from tests.integration.local.queues import Queue, values
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import User


@pytest.fixture
def events(user: User) -> Any:
    """A client of EventBridge."""
    return user.system.account.client("events")


@pytest.fixture
def taken(user: User) -> Queue:
    """A queue that the rule sends events to."""
    return Queue(user, "FailedExecutionsQueueUrl")


@pytest.fixture
def undelivered(user: User) -> Queue:
    """A queue for events that the rule's target does not take."""
    return Queue(user, "UndeliveredEventsQueueUrl")


@pytest.fixture
def rule(events: Any) -> Iterator[str]:
    """A rule for the events of an application, without targets."""
    events.put_rule(Name="orders", EventPattern='{"source": ["shop"]}')
    yield "orders"
    targets = events.list_targets_by_rule(Rule="orders")["Targets"]
    events.remove_targets(Rule="orders", Ids=[target["Id"] for target in targets])
    events.delete_rule(Name="orders")


@pytest.fixture
def _busy(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no target take any event."""

    def busy(*_: object) -> None:
        raise DeliveryError("THROTTLING", "Too many")

    monkeypatch.setattr(user.system.deliveries, "deliver", busy)


def put(events: Any, **entry: Any) -> dict[str, Any]:
    """Put an order on the bus and return the answer."""
    order = {"Source": "shop", "DetailType": "Order", "Detail": '{"number": 1}', **entry}
    return dict(events.put_events(Entries=[order]))


def target(events: Any, rule: str, arn: str, **more: Any) -> None:
    """Make something the rule's target."""
    answer = events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn, **more}])
    assert answer["FailedEntryCount"] == 0


def bodies(queue: Queue, count: int = 1) -> list[dict[str, Any]]:
    """Wait for a queue's messages and return the events in them."""
    return [json.loads(message["Body"]) for message in queue.first(count)]


def test_own_event(events: Any, rule: str, taken: Queue) -> None:
    """An event of one's own reaches the targets of the rules that match it."""
    target(events, rule, taken.arn)
    answer = put(events, Resources=["arn:of:it"], Detail='{"number": 7}')
    [event] = bodies(taken)
    assert answer["Entries"] == [{"EventId": event["id"]}]
    assert (event["source"], event["detail-type"]) == ("shop", "Order")
    assert (event["detail"], event["resources"]) == ({"number": 7}, ["arn:of:it"])


def test_disabled_rule(events: Any, rule: str, taken: Queue) -> None:
    """A disabled rule sends nothing, until it is enabled."""
    target(events, rule, taken.arn)
    events.disable_rule(Name=rule)
    put(events, Detail='{"number": 1}')
    events.enable_rule(Name=rule)
    put(events, Detail='{"number": 2}')
    assert [event["detail"]["number"] for event in bodies(taken)] == [2]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": "aws.ecs"}, "NotAuthorizedForSourceException"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"DetailType": ""}, "InvalidArgument"),
    ],
)
def test_refused_entries(events: Any, entry: dict[str, str], code: str) -> None:
    """An entry with AWS's source, or one that is no event, is refused alone."""
    order = {"Source": "shop", "DetailType": "Order", "Detail": "{}"}
    answer = events.put_events(Entries=[{**order, **entry}, order])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][1]


def test_target_is_busy(
    user: User,
    events: Any,
    rule: str,
    taken: Queue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event that its target does not take is delivered later, and once."""
    target(events, rule, taken.arn)
    deliveries = user.system.deliveries
    failures, deliver = iter("12"), deliveries.deliver

    def busy_at_first(rule: str, arn: str, event: bytes) -> None:
        if next(failures, None):
            raise DeliveryError("THROTTLING", "Too many")
        deliver(rule, arn, event)

    monkeypatch.setattr(deliveries, "deliver", busy_at_first)
    put(events)
    assert len(bodies(taken)) == 1
    user.wait(lambda: deliveries.pending == 0)


@pytest.mark.parametrize(
    ("policy", "exhausted"),
    [
        ({"MaximumRetryAttempts": 3}, ("MaximumRetryAttempts", "3")),
        ({"MaximumRetryAttempts": 0}, ("MaximumRetryAttempts", "0")),
        # After 1, 2, 4, 8, 16 and 32 seconds.
        ({"MaximumEventAgeInSeconds": 65}, ("MaximumEventAgeInSeconds", "6")),
    ],
)
@pytest.mark.usefixtures("_busy")
def test_target_stays_busy(
    events: Any,
    rule: str,
    undelivered: Queue,
    policy: dict[str, int],
    exhausted: tuple[str, str],
) -> None:
    """An event that its target never takes is kept, with what EventBridge tells of it."""
    kept = {"RetryPolicy": policy, "DeadLetterConfig": {"Arn": undelivered.arn}}
    target(events, rule, undelivered.arn, **kept)
    event_id = put(events)["Entries"][0]["EventId"]
    [message] = undelivered.first(ERROR_CODE="THROTTLING")
    assert json.loads(message["Body"])["id"] == event_id
    assert all(value["DataType"] == "String" for value in message["MessageAttributes"].values())
    known = values(message)
    assert known.pop("RULE_ARN").endswith(":rule/orders")
    assert (known.pop("EXHAUSTED_RETRY_CONDITION"), known.pop("RETRY_ATTEMPTS")) == exhausted
    assert known == {
        "TARGET_ARN": undelivered.arn,
        "ERROR_CODE": "THROTTLING",
        "ERROR_MESSAGE": "Too many",
    }


@pytest.mark.parametrize("end", ["-other:live", ":live:more"])
def test_target_does_not_exist(
    user: User,
    events: Any,
    rule: str,
    undelivered: Queue,
    end: str,
) -> None:
    """An event for a function that does not exist is kept at once: no retry would help."""
    missing = user.system.stack.outputs["TaskStateFunctionArn"].removesuffix(":live") + end
    target(events, rule, missing, DeadLetterConfig={"Arn": undelivered.arn})
    put(events)
    [attributes] = map(values, undelivered.first(TARGET_ARN=missing))
    assert (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"]) == ("NO_RESOURCE", "0")
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


def test_durable_target(user: User, events: Any, rule: str) -> None:
    """An event for a durable function begins an execution, whose payload is the event."""
    arn = user.function("polling")
    target(events, rule, arn)
    event_id = put(events)["Entries"][0]["EventId"]

    def begun() -> str | None:
        known = user.durable.list_durable_executions_by_function(FunctionName=arn)
        arns = [execution["DurableExecutionArn"] for execution in known["DurableExecutions"]]
        payloads = {arn: json.loads(user.execution(arn)["InputPayload"]) for arn in arns}
        return next((arn for arn in arns if payloads[arn].get("id") == event_id), None)

    assert user.execution(user.wait(begun))["FunctionArn"].endswith(":1")


def test_durable_target_without_version(
    user: User, events: Any, rule: str, undelivered: Queue
) -> None:
    """An event for a durable function of no version is kept: AWS does not invoke it either."""
    bare = user.function("polling").removesuffix(":live")
    target(events, rule, bare, DeadLetterConfig={"Arn": undelivered.arn})
    put(events)
    [attributes] = map(values, undelivered.first(TARGET_ARN=bare))
    assert attributes["ERROR_CODE"] == "INVALID_PARAMETER"
    assert "unqualified ARN" in attributes["ERROR_MESSAGE"]


def test_templates_rule_is_shown(user: User, events: Any) -> None:
    """The template's rule can be looked at: its pattern, its target and the target's policies."""
    [shown] = [r for r in events.list_rules()["Rules"] if "TaskStateChange" in r["Name"]]
    described = events.describe_rule(Name=shown["Name"])
    assert json.loads(described["EventPattern"])["source"] == ["aws.ecs"]
    [rule_target] = events.list_targets_by_rule(Rule=shown["Name"])["Targets"]
    assert rule_target["Arn"] == user.system.stack.outputs["TaskStateFunctionArn"]
    assert rule_target["RetryPolicy"]["MaximumRetryAttempts"] == 185
    assert rule_target["DeadLetterConfig"]["Arn"].endswith("undelivered-events")


def test_statuses_of_executions(user: User, events: Any, taken: Queue) -> None:
    """Each new status of an execution is published, in AWS's form."""
    pattern = {"source": ["aws.lambda"], "detail-type": ["Durable Execution Status Change"]}
    events.put_rule(Name="statuses", EventPattern=json.dumps(pattern))
    target(events, "statuses", taken.arn)
    arn = user.start("eventbridge", name=f"told-{uuid.uuid4()}", processingTime=300)
    user.durable.stop_durable_execution(DurableExecutionArn=arn)
    details = {event["detail"]["status"]: event["detail"] for event in bodies(taken, 2)}
    events.remove_targets(Rule="statuses", Ids=["1"])
    events.delete_rule(Name="statuses")
    execution = user.execution(arn)
    assert details["RUNNING"].keys() == details["STOPPED"].keys() - {"endTimestamp"}
    assert {details[status]["durableExecutionArn"] for status in details} == {arn}
    assert details["STOPPED"]["functionArn"] == execution["FunctionArn"]
    assert details["STOPPED"]["durableExecutionName"] == execution["DurableExecutionName"]
    assert details["STOPPED"]["startTimestamp"].endswith("Z")


def test_queue_that_is_gone(events: Any, rule: str, user: User, undelivered: Queue) -> None:
    """An event for a queue that does not exist is kept, and blocks no other event."""
    gone = undelivered.arn.rpartition(":")[0] + ":gone"
    target(events, rule, gone, DeadLetterConfig={"Arn": undelivered.arn})
    assert put(events)["FailedEntryCount"] == 0
    [message] = undelivered.first(TARGET_ARN=gone)
    assert values(message)["ERROR_CODE"] == "NO_RESOURCE"
    assert user.result(user.start("eventbridge", processingTime=0))["outcome"] == "Succeeded"


def test_reader_who_waits(user: User, taken: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits for a message does not block its sender."""
    sqs = user.system.account.client("sqs")
    url = user.system.stack.outputs["FailedExecutionsQueueUrl"]
    begun, receive = threading.Event(), SQSBackend.receive_message

    def receiving(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        return receive(*args, **kwargs)

    monkeypatch.setattr(SQSBackend, "receive_message", receiving)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        assert begun.wait(PATIENCE)
        sqs.send_message(QueueUrl=url, MessageBody=taken.arn)
        [message] = waiting.result().get("Messages", [None])
    assert message["Body"] == taken.arn
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
