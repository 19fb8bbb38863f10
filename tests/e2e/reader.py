"""A reader of the documentation, who tries its commands on executions of her own."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from local.stack.stack import PROJECT
from tests.e2e.shell import paste, programs
from tests.e2e.user import id_of
from tests.markdown import code
from tests.traces import root_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.shell import Ran
    from tests.e2e.user import AwsUser
    from tests.markdown import Fence

_AT_ONCE = 16
_LAST = re.compile("list-durable-executions|make redrive")
# Work that says how far it is, leaves a file, and has a result as large as its input says.
_TELLING = """\
import sys
from worker import data, report
from worker.process import run
from worker.work import work as demo

def work(assignment):
    report.progress(40, "Two of five")
    data.put(f"{assignment.result_uri}file.json", b"[1]")
    return {**demo(assignment), "more": "x" * assignment.input}

run(work)
"""
# What the container of a task that failed has printed.
PRINTED = "nothing-to-read"
_EVENT = PROJECT / "events" / "task-state" / "exit-0.json"


@dataclass(frozen=True)
class Reader:
    """The things that a reader has before she tries the commands.

    Attributes:
        user: her.
        variables: that her shell has exported.
        done: an execution of the DynamoDB flow that is over; it has told its progress.
        result: the address of another one's result, which is too large for its record.
        failed: an execution that failed.
        broken: one whose task failed, after it had printed `PRINTED`.
        unwanted: one that is to be stopped.
        doomed: one whose task is to be stopped.
        task: that task.
        busy: a task that goes on.
        lost: a task event in the queue of undelivered ones.
    """

    user: AwsUser
    variables: Mapping[str, str]
    done: str
    result: str
    failed: str
    broken: str
    unwanted: str
    doomed: str
    task: str
    busy: str
    lost: str

    @classmethod
    def of(cls, user: AwsUser, variables: Mapping[str, str]) -> Reader:
        """Start the executions that commands look at, and wait until there is something to see."""
        done, large = (user.start("dynamodb", **_telling(size)) for size in (1, 300_000))
        failed = user.start("polling", processingTime="long")
        broken = user.start("eventbridge", command=["sh", "-c", f"echo {PRINTED}; exit 3"])
        unwanted, doomed, busy = (user.start("eventbridge", processingTime=300) for _ in "123")
        lost = _EVENT.read_text()
        cls._lose(user, lost)
        user.closed(done)
        result = user.closed(large)["resultUri"]
        user.ended(failed)
        user.ended(broken)
        arns = (unwanted, doomed, busy)
        _, task, busy = (user.wait(partial(user.tasks, arn))[0] for arn in arns)
        return cls(
            user, variables, done, result, failed, broken, unwanted, doomed, task, busy, lost
        )

    @staticmethod
    def _lose(user: AwsUser, event: str) -> None:
        """Put an event where EventBridge puts what it cannot deliver."""
        target = {"DataType": "String", "StringValue": user.outputs["TaskStateFunctionArn"]}
        user.client("sqs").send_message(
            QueueUrl=user.outputs["UndeliveredEventsQueueUrl"],
            MessageBody=event,
            MessageAttributes={"TARGET_ARN": target},
        )

    def try_all(self, blocks: Mapping[str, Fence], folder: Path) -> dict[str, Future[list[Ran]]]:
        """Paste each block, those last that want the newest execution or all of the queues."""
        tried: dict[str, Future[list[Ran]]] = {}
        found = programs(folder)
        for wanted in (False, True):
            self.user.ended(self.user.start("eventbridge", processingTime=0))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                tried |= {
                    name: pool.submit(self._paste, block, folder / name, found)
                    for name, block in blocks.items()
                    if bool(_LAST.search(block.text)) is wanted
                }
        return tried

    def _paste(self, block: Fence, folder: Path, found: Path) -> list[Ran]:
        folder.mkdir(parents=True)
        (folder / "events").symlink_to(PROJECT / "events")
        shutil.copy(_EVENT, folder / "event.json")
        text = re.sub("YOUR-EXECUTION-ID", id_of(self.done), block.text)
        # What a block's introduction says is in a variable.
        known = {
            "arn": self.unwanted,
            "failed": self.failed,
            "stream": self.user.record(self.broken)["error"]["logStream"],
            "task": self.task,
            "trace": root_of(self.user.record(self.done)["traceHeader"]),
            "uri": self.result,
        }
        named = {name: known[name] for name in code(block.before) if name in known}
        return paste(text, folder, {**self.variables, **named}, found)


def _telling(size: int) -> dict[str, Any]:
    return {"command": ["python", "-c", _TELLING], "processingTime": 0, "input": size}
