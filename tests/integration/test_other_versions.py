"""An execution of one version among functions of another: they share its record and its answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from core.outcome import ApplicationFailed, Outcome, Succeeded
from core.record import Status
from orchestrator import eventbridge, polling

if TYPE_CHECKING:
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

# A version that knows more of ends than this one.
EXPIRED = {
    "kind": "LicenceExpired",
    "succeeded": False,
    "summary": "The licence has expired.",
    "exitCode": 28,
}
SKIPPED = {"kind": "Skipped", "succeeded": True, "summary": "Nothing was left to do."}
EAGER = {"maxAttempts": 10, "retryOn": ["ApplicationFailed", "OutOfMemory"]}


def test_failure_of_a_later_kind(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """An execution fails in the words of a later task-state function, and starts no second task."""
    execution = durable(eventbridge.handler, EAGER)
    task_arn = attempts.task(1)
    outcome = {**EXPIRED, "taskArn": task_arn, "capacity": "FARGATE"}
    boto3.client("lambda").send_durable_execution_callback_failure(
        CallbackId=aws.record().callback_id,
        Error={"ErrorData": json.dumps({"outcome": outcome, "result": None})},
    )
    message, data = execution.error()
    assert message.startswith("LicenceExpired: The licence has expired.")
    assert (data["kind"], data["exitCode"], data["taskArn"]) == ("LicenceExpired", 28, task_arn)
    record = aws.record()
    assert (record.status, record.is_open) == (Status.FAILED, False)
    assert (record.error or {})["kind"] == "LicenceExpired"
    assert len(attempts.run_task_calls()) == 1
    assert "StopTask" not in aws.calls


def test_success_of_a_later_kind(aws: Aws, durable: Start) -> None:
    """An execution succeeds where a later task-state function says so, and leaves it the record."""
    execution = durable(eventbridge.handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    boto3.client("lambda").send_durable_execution_callback_success(
        CallbackId=record.callback_id, Result=json.dumps({"outcome": SKIPPED, "result": [7]})
    )
    result = execution.result()
    assert (result["outcome"], result["result"]) == ("Skipped", [7])
    assert aws.record().is_open
    assert "StopTask" not in aws.calls


@pytest.mark.parametrize(
    "outcome",
    [Succeeded(exit_code=0), ApplicationFailed(exit_code=3)],
    ids=lambda outcome: outcome.kind,
)
def test_answer_of_an_earlier_version(aws: Aws, durable: Start, outcome: Outcome) -> None:
    """An answer without this version's fields is taken."""
    execution = durable(eventbridge.handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    earlier = {"kind": outcome.kind, "exitCode": outcome.exit_code}
    text = json.dumps({"outcome": earlier})
    client = boto3.client("lambda")
    if outcome.succeeded:
        client.send_durable_execution_callback_success(CallbackId=record.callback_id, Result=text)
        assert execution.result()["outcome"] == outcome.kind
    else:
        client.send_durable_execution_callback_failure(
            CallbackId=record.callback_id, Error={"ErrorData": text}
        )
        assert execution.error()[1]["kind"] == outcome.kind


@pytest.mark.parametrize("outcome", [EXPIRED, SKIPPED], ids=["failure", "success"])
def test_end_that_a_later_version_has_stored(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, outcome: Any
) -> None:
    """A polling execution whose task ECS has forgotten ends as a later version has stored it."""
    attempts.share_clock(monkeypatch)

    def store() -> None:
        task_arn = aws.task().arn
        aws.rewrite("SET lastOutcome = :told", told={**outcome, "taskArn": task_arn, "cpu": 1024})
        aws.exit(0)
        assert aws.report() == {"done": "reported before"}
        aws.forget()

    aws.script(lambda: aws.task().advance("RUNNING"), store)
    execution = durable(polling.handler, {})
    if outcome["succeeded"]:
        assert execution.result()["outcome"] == outcome["kind"]
    else:
        assert execution.error()[1]["kind"] == outcome["kind"]
    assert (aws.record().last_outcome or {})["kind"] == outcome["kind"]
    assert aws.record().status is (Status.COMPLETED if outcome["succeeded"] else Status.FAILED)


@pytest.mark.parametrize("code", [0, 3])
def test_attributes_of_a_later_version(aws: Aws, durable: Start, code: int) -> None:
    """An attribute that a later version added stays in its record, from the task to the close."""
    execution = durable(eventbridge.handler, {"retryOn": ["ApplicationFailed"], "maxAttempts": 2})
    aws.wait_for_record(lambda record: record.task_arn)
    later: dict[str, Any] = {"parentArn": "arn", "licence": {"seats": 7}}
    aws.rewrite("SET parentArn = :p, licence = :q", p=later["parentArn"], q=later["licence"])
    aws.exit(3)
    aws.report()
    second = aws.wait_for_record(lambda record: record.attempt == 2 and record.task_arn)
    aws.exit(code, second.task_arn)
    aws.report(second.task_arn)
    assert (execution.ended.error is None) is (code == 0)
    assert not aws.record().is_open
    assert {name: aws.item()[name] for name in later} == later
