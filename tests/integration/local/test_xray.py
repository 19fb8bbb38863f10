from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from local.gateway import Call, Drop, Refuse
from tests.integration.local.shapes import conforming
from tests.traces import EVER, annotated, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.system import System


@pytest.fixture(scope="module")
def xray(system: System) -> Any:
    """A person's client of X-Ray, who minds that each answer is as AWS's model says."""
    client = system.account.client("xray")
    conforming(client)
    return client


@pytest.fixture
def function(system: System) -> Iterator[Callable[[str], Any]]:
    """Return what makes a client of X-Ray with a role."""
    callers = []

    def made(role: str) -> Any:
        caller = system.callers.new("mine", role)
        callers.append(caller)
        return boto3.client(
            "xray",
            region_name=system.stack.region,
            endpoint_url=system.endpoint,
            aws_access_key_id=caller.access_key,
            aws_secret_access_key=caller.secret,
            config=Config(retries={"total_max_attempts": 1}),
        )

    yield made
    system.seams.clear()


def document(trace: int, **more: Any) -> dict[str, Any]:
    """A segment of this moment, of a trace with a number."""
    now = time.time()
    return {
        "id": "70de5b6f19ff9a0a",
        "trace_id": trace_id(trace),
        "name": "worker",
        "start_time": now,
        "end_time": now + 2,
        **more,
    }


def trace_id(number: int, moment: float | None = None) -> str:
    """The id of a trace that begins now."""
    return f"1-{int(moment or time.time()):08x}-{number:024x}"


def put(xray: Any, *documents: dict[str, Any]) -> Any:
    """Send segments, and return what X-Ray did not take."""
    texts = [json.dumps(document) for document in documents]
    return xray.put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"]


def test_sent_and_read(xray: Any) -> None:
    """A segment that was sent is read as one document, with its subsegments in it."""
    segment = document(1)
    sub = segment | {"id": "53995c3f42cd8ad8", "type": "subsegment", "parent_id": segment["id"]}
    assert put(xray, sub, segment) == []
    unknown = trace_id(2)
    answer = xray.batch_get_traces(TraceIds=[segment["trace_id"], unknown])
    [trace] = answer["Traces"]
    assert answer["UnprocessedTraceIds"] == [unknown]
    assert (trace["Id"], trace["Duration"]) == (segment["trace_id"], 2)
    [shown] = trace["Segments"]
    assert shown["Id"] == segment["id"]
    assert json.loads(shown["Document"]) == segment | {"subsegments": [sub]}


def test_refused_segments(xray: Any) -> None:
    """A document that X-Ray does not take is reported, and those beside it are kept."""
    good, bad = document(3), document(4, name="")
    answer = xray.put_trace_segments(
        TraceSegmentDocuments=["no JSON", json.dumps(good), json.dumps(bad)]
    )
    codes = [(each.get("Id"), each["ErrorCode"]) for each in answer["UnprocessedTraceSegments"]]
    assert codes == [(None, "ParseError"), (bad["id"], "InvalidName")]
    assert traced(xray, good["trace_id"])
    assert not traced(xray, bad["trace_id"])


@pytest.mark.parametrize(
    ("expression", "number"),
    [
        ('annotation.executionId = "a-1"', 5),
        ('annotation.executionId="a-2"', 6),
        (' annotation[executionId]  =  "a-2" ', 6),
        ('annotation[task.kind] = "two words"', 6),
        ('annotation.executionId = "a"', None),
        ('annotation.other = "a-1"', None),
        ('annotation.attempt = "1"', None),
    ],
)
def test_filter(xray: Any, expression: str, number: int | None) -> None:
    """A filter finds the traces that have an annotation with just that text."""
    put(xray, document(5, annotations={"executionId": "a-1", "attempt": 1}))
    put(xray, document(6, annotations={"executionId": "a-2", "task.kind": "two words"}))
    answer = xray.get_trace_summaries(**EVER, FilterExpression=expression)
    found = [int(summary["Id"].rpartition("-")[2], 16) for summary in answer["TraceSummaries"]]
    assert set(found) == ({number} if number else set())


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "fault",
        'service("worker")',
        "annotation.attempt = 1",
        'annotation.executionId != "a-1"',
        'annotation.executionId = "a-1" AND fault',
        'annotation.executionId = "a" OR annotation.executionId = "b"',
    ],
)
def test_other_filters(xray: Any, expression: str) -> None:
    """A filter that is not answered here is refused, and the error says which one is."""
    with pytest.raises(xray.exceptions.InvalidRequestException) as refused:
        xray.get_trace_summaries(**EVER, FilterExpression=expression)
    assert 'Known here are: annotation.NAME = "text" | ' in str(refused.value)


def test_time(xray: Any) -> None:
    """Summaries are those of the traces that begin within the requested time."""
    before, within, after = (trace_id(7, moment) for moment in (999, 1000, 1011))
    for named in (before, within, after):
        put(xray, document(7, trace_id=named))
    answer = xray.get_trace_summaries(StartTime=1000, EndTime=1010)
    assert [summary["Id"] for summary in answer["TraceSummaries"]] == [within]
    assert answer["TracesProcessedCount"] == 1


def test_summary(xray: Any) -> None:
    """A summary has a trace's failure and its annotations, in AWS's form."""
    put(xray, document(8, fault=True, origin="AWS::ECS::Fargate", annotations={"executionId": "b"}))
    asked = {**EVER, "FilterExpression": 'annotation.executionId = "b"'}
    [summary] = xray.get_trace_summaries(**asked)["TraceSummaries"]
    assert (summary["HasFault"], summary["HasError"]) == (True, False)
    assert summary["EntryPoint"]["Type"] == "AWS::ECS::Fargate"
    [annotation] = summary["Annotations"]["executionId"]
    assert annotation["AnnotationValue"] == {"StringValue": "b"}


def test_other_time_range(xray: Any) -> None:
    """Summaries by another time than that of the begin are refused, and never wrong."""
    with pytest.raises(xray.exceptions.InvalidRequestException, match="TimeRangeType=TraceId"):
        xray.get_trace_summaries(**EVER, TimeRangeType="Event")


def test_too_deep(xray: Any) -> None:
    """A trace with too many levels is refused, and harms no other one."""
    ids = [f"{number:016x}" for number in range(1, 200)]
    first = document(13, id=ids[0])
    later = [
        document(13, id=own, type="subsegment", parent_id=parent) for parent, own in pairwise(ids)
    ]
    put(xray, first, *later)
    with pytest.raises(ClientError, match="nested deeper"):
        xray.batch_get_traces(TraceIds=[first["trace_id"]])
    assert xray.get_trace_summaries(**EVER)["TraceSummaries"]


def test_too_many_traces(xray: Any) -> None:
    """More than five traces at a time are refused, as X-Ray does it."""
    ids = [trace_id(number) for number in range(100, 106)]
    assert xray.batch_get_traces(TraceIds=ids[1:])["UnprocessedTraceIds"] == ids[1:]
    with pytest.raises(xray.exceptions.InvalidRequestException, match="5 at most, not 6"):
        xray.batch_get_traces(TraceIds=ids)


def test_other_operations(xray: Any) -> None:
    """X-Ray's other operations are answered too."""
    assert xray.get_trace_graph(TraceIds=[])["Services"] == []


@pytest.mark.parametrize("role", ["SyncRole", "TaskStateRole"])
def test_functions_may_send(xray: Any, function: Callable[[str], Any], role: str) -> None:
    """A function's role may send segments, which people read."""
    segment = document(9, annotations={"role": role})
    assert put(function(role), segment) == []
    assert [trace.segments for trace in annotated(xray, "role", role)] == [[segment]]


def test_workers_may_not_send(xray: Any, function: Callable[[str], Any]) -> None:
    """A worker's role may send no segment."""
    segment = document(10)
    with pytest.raises(ClientError, match="xray:PutTraceSegments"):
        put(function("TaskRole"), segment)
    assert not traced(xray, segment["trace_id"])


def test_seams(system: System, xray: Any, function: Callable[[str], Any]) -> None:
    """A function's segments take the way on which calls are counted, refused and cut off."""
    mine = function("SyncRole")
    seen = len(system.journal.entries(Call))
    refused, dropped = document(11), document(12)
    system.seams.inject(Refuse(), caller="mine", operation="PutTraceSegments")
    with pytest.raises(ClientError, match="ThrottlingException"):
        put(mine, refused)
    system.seams.inject(Drop(after=True), caller="mine", operation="PutTraceSegments")
    with pytest.raises(ConnectionClosedError):
        put(mine, dropped)
    calls = [c for c in system.journal.entries(Call)[seen:] if c.caller == "mine"]
    assert [(c.service, c.operation) for c in calls] == [("xray", "PutTraceSegments")] * 2
    assert not traced(xray, refused["trace_id"])
    assert traced(xray, dropped["trace_id"])
