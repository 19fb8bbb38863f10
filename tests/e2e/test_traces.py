from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.demo.cases import FLOWS
from tests.e2e.tools import tool
from tests.e2e.user import id_of
from tests.traces import Traced, annotated, root_of, traced

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.up import Up
    from tests.e2e.user import AwsUser, Flow

NAMES = [flow.name for flow in FLOWS]


@pytest.fixture(scope="module")
def executions(aws_user: AwsUser) -> dict[str, str]:
    """The ARNs of executions that are over, one of each flow."""
    begun = {name: aws_user.start(cast("Flow", name), processingTime=0) for name in NAMES}
    for arn in begun.values():
        aws_user.ended(arn)
        aws_user.closed(arn)
    return begun


def own(user: AwsUser, arn: str) -> Traced:
    """An execution's own trace, once something that its functions have sent is there."""
    trace_id = root_of(user.record(arn)["traceHeader"])

    def begun() -> Traced | None:
        # Each datagram of the functions' SDK comes in its own time.
        trace = traced(user.client("xray"), trace_id)
        names = {part["name"] for part in trace.parts} if trace else set()
        return trace if "## handler" in names else None

    return cast("Traced", user.wait(begun))


@pytest.mark.parametrize("flow", NAMES)
def test_own_trace(aws_user: AwsUser, executions: dict[str, str], flow: str) -> None:
    """An execution has one trace with one root, and every other part has its parent in it."""
    trace = own(aws_user, executions[flow])
    [root] = trace.roots
    function = aws_user.function(cast("Flow", flow)).split(":")[6]
    assert (root["origin"], root["name"]) == ("AWS::Lambda", function)
    assert trace.strays == []
    assert not any(part.get("fault") or part.get("in_progress") for part in trace.parts)
    ids = [part["id"] for part in trace.parts]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("flow", NAMES)
def test_calls(aws_user: AwsUser, executions: dict[str, str], flow: str) -> None:
    """A trace shows which services its first invocation has called."""

    def called() -> bool:
        trace = own(aws_user, executions[flow])
        [function, *_] = trace.of("AWS::Lambda::Function")
        return {"dynamodb", "ecs"} <= {part["name"] for part in Traced(trace.id, [function]).parts}

    assert aws_user.wait(called)


@pytest.mark.parametrize("flow", NAMES)
def test_filter(aws_user: AwsUser, executions: dict[str, str], flow: str) -> None:
    """The annotation `executionId` finds an execution's own trace, and those of its events."""
    arn = executions[flow]

    def found() -> set[str] | None:
        traces = annotated(aws_user.client("xray"), "executionId", id_of(arn))
        names = {trace.id: trace.roots[0]["name"] for trace in traces}
        is_own = root_of(aws_user.record(arn)["traceHeader"]) in names
        return set(names.values()) if is_own and len(names) > 1 else None

    function, task_state = aws_user.function(cast("Flow", flow)), "TaskStateFunctionArn"
    names = {arn.split(":")[6] for arn in (function, aws_user.outputs[task_state])}
    assert aws_user.wait(found) == names


def test_sam_traces(
    aws_user: AwsUser, executions: dict[str, str], shared: Up, tmp_path: Path
) -> None:
    """`sam traces` prints an execution's trace, segment by segment."""
    trace = own(aws_user, executions["eventbridge"])
    printed = sam(shared, tmp_path, "traces", "--trace-id", trace.id)
    assert trace.id in printed
    for part in trace.parts:
        assert f"s - {part['name']}" in printed


def test_sam_traces_as_json(
    aws_user: AwsUser, executions: dict[str, str], shared: Up, tmp_path: Path
) -> None:
    """`sam traces --output json` gives the segments as they are."""
    trace = own(aws_user, executions["polling"])
    printed = sam(shared, tmp_path, "traces", "--trace-id", trace.id, "--output", "json")
    [shown] = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert by_id(shown["Segments"]) == by_id(trace.segments)


def by_id(segments: list[dict[str, Any]]) -> dict[str, str]:
    """The names of segments by their ids."""
    return {segment["id"]: segment["name"] for segment in segments}


def sam(shared: Up, home: Path, *arguments: str) -> str:
    """Run the SAM CLI with what `make up` exports; return what it prints."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "SAM_CLI_TELEMETRY": "0",
        **shared.variables(),
    }
    program = str(tool("sam", "sam"))
    ran = subprocess.run(
        [program, *arguments],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
