from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectTimeoutError

from adapters import traces
from adapters.clients import client
from core.flow import Flow
from orchestrator import dynamodb, eventbridge, polling
from tests.integration.attempts import CAPACITY, SPOT, SUCCESS, Attempts
from tests.integration.aws import STACK, error, hand, reply
from tests.integration.conftest import values
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Counted, Lines, Start

HANDLERS = {
    Flow.POLLING: polling.handler,
    Flow.DYNAMODB: dynamodb.handler,
    Flow.EVENTBRIDGE: eventbridge.handler,
}
WAITING = pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of the execution's trace, which is sampled and another one in each test."""
    trace_id = f"1-5759e988-{uuid4().hex[:24]}"
    header = f"Root={trace_id};Parent=53995c3f42cd8ad8;Sampled=1"
    monkeypatch.setattr(traces, "header", lambda: header)
    return trace_id


def segments(root: str) -> list[dict[str, Any]]:
    """Return the segments that were sent to a trace."""
    found = hand("xray").batch_get_traces(TraceIds=[root])["Traces"]
    return [json.loads(each["Document"]) for trace in found for each in trace["Segments"]]


@WAITING
def test_counts(aws: Aws, durable: Start, attempts: Attempts, counted: Counted, flow: Flow) -> None:
    """Each launch that is refused, each task and each end of an attempt is counted once."""
    aws.refuse(*[CAPACITY] * 2)
    execution = durable(HANDLERS[flow], {})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    execution.result()
    aws.wait_for_record(lambda record: not record.is_open)
    assert values(counted, "LaunchesRefused") == [1, 1]
    assert values(counted, "TasksStarted") == [1, 1]
    ends = [line["outcome"] for line in counted if "AttemptsEnded" in line]
    assert ends == ["SpotInterrupted", "Succeeded"]
    assert values(counted, "AttemptsPerExecution") == [2]
    assert values(counted, "ExecutionsFailed") == []
    learned = "LearnedByEvent" if flow.has_callback else "LearnedByCheck"
    assert values(counted, learned) == [1, 1]
    for name in ("StartSeconds", "RunSeconds", "AnswerSeconds"):
        assert len(values(counted, name)) == 2


@WAITING
def test_form(aws: Aws, durable: Start, attempts: Attempts, counted: Counted, flow: Flow) -> None:
    """A line of metrics has the stack's namespace, its own dimensions, and names its execution."""
    execution = durable(HANDLERS[flow], {})
    attempts.end(1, SUCCESS)
    execution.result()
    record = aws.wait_for_record(lambda record: not record.is_open)
    [ended] = [line for line in counted if "AttemptsEnded" in line]
    [directive] = ended["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": STACK,
        "Dimensions": [["flow", "outcome"]],
        "Metrics": [{"Name": "AttemptsEnded", "Unit": "Count"}],
    }
    assert (ended["flow"], ended["outcome"]) == (flow.value, "Succeeded")
    assert (ended["executionId"], ended["attempt"]) == (record.execution_id, 1)


def test_refused_for_good(aws: Aws, durable: Start, counted: Counted, root: str) -> None:
    """A launch that is refused for good is counted, as a failed execution of one attempt."""
    aws.refuse("MISSING")
    durable(dynamodb.handler, {}).error()
    assert values(counted, "LaunchesRefused") == [1]
    assert values(counted, "TasksStarted") == []
    assert values(counted, "ExecutionsFailed") == [1]
    [segment] = segments(root)
    assert [part["name"] for part in segment["subsegments"]] == ["launch", "completion"]


@pytest.mark.parametrize("code", [0, 3])
def test_end_before_its_start_is_known(
    aws: Aws, durable: Start, counted: Counted, code: int
) -> None:
    """A task whose end is reported before its launch was answered is counted as started once."""

    def end() -> None:
        aws.exit(code)
        aws.report()

    aws.at("ecs.RunTask", end, 1, after=True)
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: not record.is_open)
    execution.runner.wait_for_result(execution.arn, timeout=PATIENCE)
    assert values(counted, "TasksStarted") == [1]
    assert values(counted, "AttemptsEnded") == [1]


@pytest.mark.parametrize("status", ["DEPROVISIONING", "STOPPED"])
def test_duplicates(aws: Aws, durable: Start, counted: Counted, root: str, status: str) -> None:
    """An end that is reported many times is counted once, and its task has one segment."""
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0, status=status)
    for _ in range(3):
        aws.report()
    aws.task().advance("STOPPED")
    aws.report()
    execution.result()
    assert values(counted, "AttemptsEnded") == [1]
    assert len(segments(root)) == 1


@WAITING
def test_segments(aws: Aws, durable: Start, attempts: Attempts, root: str, flow: Flow) -> None:
    """Each attempt's task is a segment of the execution's trace, with how it ended."""
    execution = durable(HANDLERS[flow], {})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    execution.result()
    aws.wait_for_record(lambda record: not record.is_open)
    sent = {segment["annotations"]["attempt"]: segment for segment in segments(root)}
    assert [sent[n]["annotations"]["outcome"] for n in (1, 2)] == ["SpotInterrupted", "Succeeded"]
    assert [sent[n].get("fault", False) for n in (1, 2)] == [True, False]
    assert len({segment["id"] for segment in sent.values()}) == len(sent) == 2


def lost() -> None:
    """Let a call never be answered."""
    raise ConnectTimeoutError(endpoint_url="https://xray")


TOO_OLD = {"ErrorCode": "InvalidTraceId", "Message": "Too old"}
REFUSALS: dict[str, Callable[[], Any]] = {
    "throttled": lambda: reply(error("ThrottledException", "Rate exceeded")),
    "forbidden": lambda: reply(error("AccessDeniedException")),
    "unprocessed": lambda: reply({"UnprocessedTraceSegments": [TOO_OLD]}),
    "silent": lost,
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_segment_that_is_not_taken(
    aws: Aws, durable: Start, counted: Counted, lines: Lines, refusal: str
) -> None:
    """A segment that X-Ray does not take is counted and logged, and its end is still reported."""

    def answer(**_: object) -> Any:
        return REFUSALS[refusal]()

    events = client("xray", traces.BRIEFLY).meta.events
    events.register("before-call.xray", answer)
    aws.hooks.callback(events.unregister, "before-call.xray", answer)
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    assert execution.result()["outcome"] == "Succeeded"
    assert values(counted, "SegmentsRefused") == [1]
    assert values(counted, "AttemptsEnded") == [1]
    [line] = [r for r in lines.records if r.message == "Segment not taken by X-Ray"]
    assert line.levelname == "WARNING"


def test_execution_that_is_not_sampled(
    aws: Aws, durable: Start, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task of an execution that X-Ray does not sample makes no call to X-Ray."""
    monkeypatch.setattr(traces, "header", lambda: f"Root={root};Sampled=0")
    sent: list[object] = []
    monkeypatch.setattr(traces, "send", sent.append)
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    aws.report()
    assert execution.result()["outcome"] == "Succeeded"
    assert sent == []


def test_calls_of_a_completion(aws: Aws, durable: Start) -> None:
    """A completion makes six calls: the event's mark, the record, the answer, and the trace."""
    own, made = threading.current_thread(), []

    def note(model: Any, **_: object) -> None:
        # The execution wakes on threads of its own, and sends no trace; nor is one waited for long.
        if threading.current_thread() is own or model.name == "PutTraceSegments":
            made.append(model.name)

    for service in (client("dynamodb"), client("lambda"), client("xray", traces.BRIEFLY)):
        service.meta.events.register("before-call", note)
        aws.hooks.callback(service.meta.events.unregister, "before-call", note)
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0, status="DEPROVISIONING")
    aws.report()
    assert made == [
        "GetItem",
        "PutItem",
        "SendDurableExecutionCallbackSuccess",
        "UpdateItem",
        "PutTraceSegments",
        "UpdateItem",
    ]
    made.clear()
    aws.report()
    aws.task().advance("STOPPED")
    aws.report()
    assert made == ["GetItem", "GetItem"]
    assert execution.result()["outcome"] == "Succeeded"


def test_moment_that_nobody_can_read(
    aws: Aws, durable: Start, counted: Counted, lines: Lines
) -> None:
    """An end with unreadable times is reported, and the log says that it is not counted."""
    execution = durable(eventbridge.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    event = aws.event()
    event["detail"]["startedAt"] = "yesterday"
    assert aws.deliver(event) == {"done": "callback succeeded"}
    assert execution.result()["outcome"] == "Succeeded"
    assert "Not counted" in lines.messages
    assert values(counted, "AttemptsPerExecution") == [1]
