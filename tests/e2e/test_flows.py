from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.local.fargate import ENDED_BY_SIGNAL

if TYPE_CHECKING:
    from tests.e2e.user import Flow, User

WAITING: tuple[Flow, ...] = ("polling", "eventbridge")


@pytest.mark.parametrize("flow", WAITING)
def test_success_is_returned(user: User, flow: Flow) -> None:
    """An execution that waits returns its task's end, with the result where one was reported."""
    arn = user.start(flow, message="hi", processingTime=1)
    result = user.result(arn)
    assert result["executionId"] == arn.rpartition("/")[2]
    assert [result["taskArn"]] == user.tasks(arn)
    assert (result["attempt"], result["outcome"], result["exitCode"]) == (1, "Succeeded", 0)
    assert result["startedAt"] < result["stoppedAt"]
    if flow == "polling":
        assert (result["flow"], result["result"]) == ("polling", None)
    else:
        assert result["result"]["message"] == "Processed: hi"
        assert result["result"]["processingTime"] == 1
    assert user.closed(arn)["status"] == "COMPLETED"


def test_fire_and_forget_returns_at_once(user: User) -> None:
    """The DynamoDB flow returns while its task runs; the result appears in the record."""
    arn = user.start("dynamodb", message="hi", processingTime=3)
    result = user.result(arn)
    assert (result["flow"], result["status"]) == ("dynamodb", "RUNNING")
    assert user.record(arn)["taskArn"] == result["taskArn"]
    assert "open" in user.record(arn)
    record = user.closed(arn)
    assert record["status"] == "COMPLETED"
    assert '"Processed: hi"' in record["result"]


@pytest.mark.parametrize("flow", WAITING)
def test_failure_is_explained(user: User, flow: Flow) -> None:
    """A failed task fails its execution with kind, exit code, reason, task ARN and advice."""
    arn = user.start(flow, processingTime=0, simulate={"exitCode": 3})
    error = user.error(arn)
    assert (error["kind"], error["exitCode"]) == ("ApplicationFailed", 3)
    assert [error["taskArn"]] == user.tasks(arn)
    assert error["detail"] == "Essential container in task exited"
    assert "log" in error["advice"]
    assert user.closed(arn)["error"]["exitCode"] == 3


def test_failure_is_recorded(user: User) -> None:
    """In the DynamoDB flow the worker's own words about its failure stay in the record."""
    arn = user.start("dynamodb", processingTime=0, simulate={"exitCode": 3})
    record = user.closed(arn)
    assert record["status"] == "FAILED"
    assert (record["error"]["kind"], record["error"]["exitCode"]) == ("ApplicationFailed", 3)
    assert "SimulatedFailureError" in record["error"]["summary"]


@pytest.mark.parametrize("flow", WAITING)
def test_kill_is_named(user: User, flow: Flow) -> None:
    """A worker that dies by SIGKILL fails its execution with exit code 137."""
    arn = user.start(flow, processingTime=300)
    os.kill(user.worker(arn), signal.SIGKILL)
    error = user.error(arn)
    assert (error["kind"], error["exitCode"]) == ("ApplicationFailed", 137)
    assert "SIGKILL" in error["advice"]


def test_kill_is_recorded(user: User) -> None:
    """A worker of the DynamoDB flow that dies without a word leaves its cause in the record."""
    arn = user.start("dynamodb", processingTime=300)
    os.kill(user.worker(arn), signal.SIGKILL)
    record = user.closed(arn)
    assert record["status"] == "FAILED"
    assert (record["error"]["kind"], record["error"]["exitCode"]) == ("ApplicationFailed", 137)


@pytest.mark.parametrize("flow", ["polling", "dynamodb", "eventbridge"])
def test_bad_payload_starts_nothing(user: User, flow: Flow) -> None:
    """A payload that cannot be run fails the execution by the field's name and starts nothing."""
    arn = user.start(flow, processingTime="long")
    execution = user.ended(arn)
    assert execution["Status"] == "FAILED"
    assert "processingTime" in execution["Error"]["ErrorMessage"]
    assert '"long"' in execution["Error"]["ErrorMessage"]
    assert (user.record(arn), user.tasks(arn)) == ({}, [])


def test_stopped_task_is_named(user: User) -> None:
    """A task that somebody stops fails its execution as stopped, with that person's reason."""
    arn = user.start("eventbridge", processingTime=300)
    user.worker(arn)
    user.stop(user.tasks(arn)[0], "wrong input")
    error = user.error(arn)
    assert (error["kind"], error["detail"]) == ("StoppedByUser", "wrong input")
    assert error["exitCode"] in ENDED_BY_SIGNAL
