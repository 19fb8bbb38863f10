from __future__ import annotations

import json
import os
import random
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from local.gateway import Refuse
from local.journal import Invocation, TaskChange
from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    from tests.e2e.user import Flow

FLOWS: tuple[Flow, ...] = ("polling", "dynamodb", "eventbridge")
EXECUTIONS = 12
KILLS = 9


def test_functions_die_again_and_again() -> None:
    """A dozen executions end rightly with one task each while their functions' processes die."""
    chance = random.Random(1)  # noqa: S311 - no secret: the same kills in each run
    with System(time_scale=20, durable_scale=5) as system:
        user = User(system)
        started = [user.start(FLOWS[i % 3], processingTime=i % 4) for i in range(EXECUTIONS)]
        kills = 0
        for kill in range(KILLS):
            # Spread over the executions' lives: one after every other invocation.
            user.wait(partial(_have_run, system, 2 * kill))
            alive = user.wait(partial(_pids, system))
            with suppress(ProcessLookupError):
                os.kill(chance.choice(alive), signal.SIGKILL)
                kills += 1
        assert kills > KILLS / 2
        for arn in started:
            assert user.ended(arn)["Status"] == "SUCCEEDED"
            assert user.closed(arn)["status"] == "COMPLETED"
        tasks = {change.task_arn for change in system.journal.entries(TaskChange)}
        assert len(tasks) == EXECUTIONS


def _have_run(system: System, invocations: int) -> bool:
    return len(system.journal.entries(Invocation)) >= invocations


def test_event_survives_a_broken_function() -> None:
    """An event that a broken function failed on is kept, and redelivered after the mend."""
    with System(time_scale=100) as system:
        user = User(system)
        target = system.stack.outputs["TaskStateFunctionArn"]
        broken = Refuse("AccessDeniedException", "no permission")
        system.seams.inject(broken, times=1_000, caller=target.split(":")[6], operation="GetItem")
        arn = user.start("eventbridge", message="kept", processingTime=0)
        sqs, url = system.account.client("sqs"), system.stack.outputs["UnprocessedEventsQueueUrl"]
        [message, *_] = user.wait(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
        kept = json.loads(message["Body"])
        assert kept["requestContext"]["approximateInvokeCount"] == 3
        assert "no permission" in kept["responsePayload"]["errorMessage"]
        assert user.execution(arn)["Status"] == "RUNNING"
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
        system.seams.clear()
        redriven = user.redrive()
        assert f"{message['MessageId']} -> " in redriven.stdout, redriven.stderr
        assert user.result(arn)["result"]["message"] == "Processed: kept"


def _pids(system: System) -> list[int]:
    return [pid for function in system.functions.values() for pid in function.pids()]
