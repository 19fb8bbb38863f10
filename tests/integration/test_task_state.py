from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyPersistenceLayerError,
)

from adapters.errors import AwsBusyError
from core.record import Status
from orchestrator import dynamodb, eventbridge
from tests.integration.aws import FAMILY, STACK, error, throttled

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.conftest import Durable, Start


@pytest.fixture
def waiting(aws: Aws, durable: Start) -> Durable:
    """An EventBridge execution whose task runs."""
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    return execution


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"startedBy": "somebody"}, "started by somebody else"),
        ({"startedBy": None}, "started by somebody else"),
        ({"startedBy": f"{STACK}-two/execution/1"}, "started by somebody else"),
        ({"startedBy": f"{STACK}/unknown/1"}, "no record"),
        ({"clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/x"}, "task of another"),
        ({"taskDefinitionArn": f"arn:aws:ecs:us-east-1:1:task-definition/{FAMILY}x:1"}, "task of"),
        ({"taskArn": "arn:aws:ecs:us-east-1:123456789012:task/c/forged"}, "other task"),
        ({"lastStatus": "RUNNING", "desiredStatus": "STOPPED"}, "not over"),
    ],
)
def test_ignored(aws: Aws, waiting: Durable, change: dict[str, str | None], reason: str) -> None:
    """An event that is foreign, forged or early changes nothing; the task's own still counts."""
    before = aws.item()
    aws.exit(0)
    event = aws.event()
    event["detail"] |= change
    assert aws.deliver(event)["done"].startswith(f"ignored: {reason}")
    assert aws.item() == before
    assert not aws.remembered()
    aws.report()
    assert waiting.result()["outcome"] == "Succeeded"


@pytest.mark.usefixtures("waiting")
def test_family_of_the_job(aws: Aws) -> None:
    """An event counts if its task is of the family that the record's job names."""
    aws.rewrite("SET #job.#family = :other", other="other")
    aws.exit(0)
    assert aws.report() == {"done": "ignored: task of another cluster or family"}


@pytest.mark.usefixtures("waiting")
def test_events_of_a_running_task(aws: Aws) -> None:
    """An event that comes before the containers are gone costs no read of the record."""
    reads = len(aws.calls.get("GetItem", []))
    for status in ("PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING"):
        event = aws.event()
        event["detail"]["lastStatus"] = status
        assert aws.deliver(event) == {"done": "ignored: not over"}
    assert len(aws.calls.get("GetItem", [])) == reads


@pytest.mark.usefixtures("waiting")
def test_stale_attempt(aws: Aws) -> None:
    """An older attempt's event changes nothing: the attempt that counts goes on."""
    aws.rewrite("SET attempt = :two", two=2)
    before = aws.item()
    aws.exit(1)
    assert aws.report() == {"done": "ignored: stale attempt"}
    assert aws.item() == before
    assert not aws.remembered()


def test_stopped_after_deprovisioning(aws: Aws, waiting: Durable) -> None:
    """The exit is reported at DEPROVISIONING, and the later STOPPED finds nothing left to do."""
    aws.exit(0, status="DEPROVISIONING")
    assert aws.report() == {"done": "callback succeeded"}
    before = aws.item()
    aws.task().advance("STOPPED")
    assert aws.report() == {"done": "ignored: record closed"}
    assert aws.item() == before
    assert waiting.result()["outcome"] == "Succeeded"


def test_failure_told_twice(aws: Aws, waiting: Durable) -> None:
    """A failure reported at DEPROVISIONING is not reported again at STOPPED, record open or not."""
    aws.exit(3, status="DEPROVISIONING")
    assert aws.report() == {"done": "callback failed"}
    assert waiting.error()[1]["exitCode"] == 3
    aws.rewrite("SET #open = :open", open="OPEN")
    aws.task().advance("STOPPED")
    assert aws.report() == {"done": "reported before"}


def test_overtaken(aws: Aws, durable: Start) -> None:
    """A record that its orchestrator closes while the event is handled is left to it."""
    durable(dynamodb.handler, {}).result()
    aws.at(
        "dynamodb.UpdateItem", lambda: aws.rewrite("SET #s = :failed REMOVE #open", failed="FAILED")
    )
    aws.exit(0)
    assert aws.report() == {"done": "record moved on"}


def test_execution_that_writes_first(aws: Aws, waiting: Durable) -> None:
    """An event's answer counts although the execution closes the record before the event does."""
    own = threading.current_thread()

    def wait() -> None:
        if threading.current_thread() is own:
            aws.wait_for_record(lambda record: not record.is_open)

    aws.at("dynamodb.UpdateItem", wait)
    aws.exit(3)
    assert aws.report() == {"done": "callback failed"}
    assert waiting.error()[1]["exitCode"] == 3


def test_duplicate(aws: Aws, durable: Start) -> None:
    """The same event again is answered from memory, even where the record is still open."""
    durable(dynamodb.handler, {}).result()
    aws.exit(0)
    assert aws.report() == {"done": "record closed COMPLETED"}
    aws.rewrite("SET #open = :open", open="OPEN")
    before = aws.item()
    assert aws.report() == {"done": "record closed COMPLETED"}
    assert aws.item() == before


def test_crash_between_answer_and_write(aws: Aws, waiting: Durable) -> None:
    """An answer whose write was lost is completed by the event's retry."""
    aws.exit(0)
    aws.answer_with("dynamodb.UpdateItem", *throttled(1))
    with pytest.raises(AwsBusyError):
        aws.report()
    assert waiting.result()["outcome"] == "Succeeded"
    assert not aws.remembered()
    assert aws.record().is_open
    assert aws.report() == {"done": "callback was answered before"}
    assert (aws.record().status, aws.record().is_open) == (Status.COMPLETED, False)


def test_closed_callback_of_a_running_execution(aws: Aws, waiting: Durable) -> None:
    """A success is stored while its closed callback's execution goes on, and is answered again."""
    callback_id = aws.record().callback_id
    aws.rewrite("SET callbackId = :other", other="eyJhcm4iOiJ4Iiwib3AiOiJ5In0=")
    aws.exit(0, status="DEPROVISIONING")
    assert aws.report() == {"done": "left alone: execution goes on"}
    record = aws.record()
    assert record.is_open
    assert (record.last_outcome or {})["kind"] == "Succeeded"
    aws.rewrite("SET callbackId = :own", own=callback_id)
    aws.task().advance("STOPPED")
    assert aws.report() == {"done": "callback succeeded"}
    assert waiting.result()["outcome"] == "Succeeded"


def test_stopped_execution(aws: Aws, waiting: Durable) -> None:
    """The end of a stopped execution's task closes its record as Cancelled, not as a success."""
    boto3.client("lambda").stop_durable_execution(DurableExecutionArn=waiting.arn)
    aws.rewrite("SET callbackId = :gone", gone="eyJhcm4iOiJ4Iiwib3AiOiJ5In0=")
    aws.exit(0)
    assert aws.report() == {"done": "execution is STOPPED"}
    record = aws.record()
    assert (record.status, record.is_open) == (Status.FAILED, False)
    assert record.error is not None
    assert record.error["kind"] == "Cancelled"


@pytest.mark.usefixtures("waiting")
def test_malformed_event(aws: Aws) -> None:
    """An event that cannot be read is an error, so that Lambda keeps it, and not a silence."""
    aws.exit(0)
    event: dict[str, Any] = aws.event()
    del event["detail"]["taskArn"]
    with pytest.raises(KeyError):
        aws.deliver(event)
    assert aws.record().last_outcome is None


@pytest.mark.usefixtures("waiting")
def test_unreachable_memory(aws: Aws) -> None:
    """Without the idempotency table nothing is completed: the event comes again."""
    aws.answer_with("dynamodb.PutItem", error("ResourceNotFoundException"))
    aws.exit(0)
    with pytest.raises(IdempotencyPersistenceLayerError):
        aws.report()
    assert aws.record().is_open
