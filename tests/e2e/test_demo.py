from __future__ import annotations

import io
import json
import subprocess
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from boto3.dynamodb.types import TypeDeserializer
from rich.console import Console

from local.demo.cases import ROWS
from local.demo.watch import run_flows
from local.system import System
from tests.alarms import raised
from tests.e2e.tools import tool
from tests.e2e.user import User
from tests.traces import EVER, Traced, root_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIME_SCALE = 20
_PATIENCE = 600
Record = dict[str, Any]


@pytest.fixture(scope="module")
def demonstrated() -> Iterator[System]:
    """A system on which the demo has run, and every row ended as it should."""
    with System(time_scale=_TIME_SCALE, durable_scale=_TIME_SCALE) as system:
        assert run_flows(system, Console(file=io.StringIO()), _PATIENCE)
        yield system


@pytest.fixture(scope="module")
def records(demonstrated: System) -> list[Record]:
    """The records of the demo's executions."""
    table = demonstrated.stack.outputs["CallbackTableName"]
    items = demonstrated.account.client("dynamodb").scan(TableName=table)["Items"]
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in item.items()} for item in items]


@pytest.fixture(scope="module")
def traces(demonstrated: System, records: list[Record]) -> Mapping[str, Traced]:
    """The executions' traces, as the AWS CLI tells them once all is there."""
    roots = {record["executionId"]: root_of(record["traceHeader"]) for record in records}
    ids = list(roots.values())

    def found() -> dict[str, Traced] | None:
        # The API takes five ids at a time.
        answers = [
            aws(demonstrated, "batch-get-traces", "--trace-ids", *ids[begin : begin + 5])
            for begin in range(0, len(ids), 5)
        ]
        told = {
            trace["Id"]: Traced(trace["Id"], [json.loads(s["Document"]) for s in trace["Segments"]])
            for answer in answers
            for trace in answer["Traces"]
        }
        return told if told.keys() == set(ids) else None

    by_root = cast("dict[str, Traced]", User(demonstrated).wait(found))
    return {execution_id: by_root[root] for execution_id, root in roots.items()}


def aws(system: System, *arguments: str) -> Any:
    """Ask X-Ray by the AWS CLI."""
    environment = {"PATH": "/usr/bin:/bin", **system.variables}
    command = [str(tool("aws", "aws")), "xray", *arguments, "--output", "json"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def tasks_of(trace: Traced) -> dict[int, dict[str, Any]]:
    """Return the segments of tasks by their attempts."""
    segments = trace.of("AWS::ECS::Fargate")
    by_attempt = {segment["annotations"]["attempt"]: segment for segment in segments}
    assert len(by_attempt) == len(segments)
    return by_attempt


def test_rows(records: list[Record]) -> None:
    """Each row of the demo is an execution with a record of its own."""
    assert len(records) == len(ROWS)


def test_parents(demonstrated: System, traces: Mapping[str, Traced]) -> None:
    """Every part of a row's trace but its one root has its parent in the trace."""
    for trace in traces.values():
        assert len(trace.roots) == 1
        assert trace.strays == []
        # The API leaves out what hangs on nothing: all that was sent is looked at, too.
        sent = [part.document for part in demonstrated.traces.segments(trace.id)]
        assert Traced(trace.id, sent).strays == []


def test_attempts(records: list[Record], traces: Mapping[str, Traced]) -> None:
    """Each row's trace has one segment for each attempt, with how it ended and who learned that."""
    for record in records:
        segments = tasks_of(traces[record["executionId"]])
        assert sorted(segments) == [entry["attempt"] for entry in record["attempts"]]
        for entry in record["attempts"]:
            annotations = segments[entry["attempt"]]["annotations"]
            assert annotations["executionId"] == record["executionId"]
            assert annotations["flow"] == record["flow"]
            assert annotations["outcome"] == entry["kind"]
            assert annotations["learnedBy"] == entry["learnedBy"]
        learned = {segment["annotations"]["learnedBy"] for segment in segments.values()}
        assert learned == {"check" if record["flow"] == "polling" else "event"}


def test_faults(records: list[Record], traces: Mapping[str, Traced]) -> None:
    """A task that failed is a fault where it failed, with its cause; nothing else is one."""
    for record in records:
        trace = traces[record["executionId"]]
        kinds = {entry["attempt"]: entry["kind"] for entry in record["attempts"]}
        failed = {attempt for attempt, kind in kinds.items() if kind != "Succeeded"}
        for attempt, segment in tasks_of(trace).items():
            faults = [part["name"] for part in segment["subsegments"] if part.get("fault")]
            assert faults == (["running"] if attempt in failed else [])
            assert segment.get("fault", False) is (attempt in failed)
            for cause in segment.get("cause", {}).get("exceptions", []):
                assert cause["type"] == kinds[attempt]
        others = [part for part in trace.parts if part.get("fault") and "cause" not in part]
        assert others == []


def summed(system: System, name: str, *values: str) -> float:
    """The sum of a metric of the stack, as CloudWatch tells it, by its flow and its outcome."""
    points = system.account.client("cloudwatch").get_metric_statistics(
        Namespace=system.stack.name,
        MetricName=name,
        Dimensions=[
            {"Name": key, "Value": value}
            for key, value in zip(("flow", "outcome"), values, strict=False)
        ],
        Statistics=["Sum"],
        Period=3_600,
        **EVER,
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_counts(demonstrated: System, records: list[Record]) -> None:
    """CloudWatch's sums of the demo equal what its records say, to the unit."""
    truth: Counter[tuple[str, ...]] = Counter()
    for record in records:
        flow, entries = record["flow"], record["attempts"]
        truth["ExecutionsFailed",] += record["status"] == "FAILED"
        truth["AttemptsPerExecution", flow] += len(entries)
        for entry in entries:
            truth["AttemptsEnded", flow, entry["kind"]] += 1
            truth["TasksStarted", flow] += "taskArn" in entry
            truth[f"LearnedBy{entry['learnedBy'].capitalize()}", flow] += 1

    def told() -> dict[tuple[str, ...], float]:
        return {key: summed(demonstrated, *key) for key in truth}

    # Whoever has closed a record writes a line after that.
    User(demonstrated).wait(lambda: sum(told().values()) >= truth.total())
    assert told() == truth


def test_alarms(demonstrated: System, records: list[Record]) -> None:
    """The demo raises the alarm on failed executions, as some of its rows fail, and no other."""
    since = min(datetime.fromisoformat(record["createdAt"]) for record in records)

    def shown() -> set[str]:
        return raised(demonstrated, since, demonstrated.clock.now())

    # Whoever has closed a record writes a line after that.
    User(demonstrated).wait(shown)
    assert shown() == {"executions-failed"}


def test_filter(demonstrated: System, records: list[Record]) -> None:
    """The filter by `annotation.executionId` finds the row's own trace."""
    record = records[0]
    begin, end = (f"{moment:.0f}" for moment in EVER.values())
    expression = f'annotation.executionId = "{record["executionId"]}"'
    span = ("--start-time", begin, "--end-time", end)
    found = aws(demonstrated, "get-trace-summaries", *span, "--filter-expression", expression)
    assert root_of(record["traceHeader"]) in {each["Id"] for each in found["TraceSummaries"]}
