"""The traces of invocations, and Lambda's own segments in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local.gateway import Kill
from local.journal import Invocation
from local.system import System
from tests.e2e.user import User
from tests.integration.local import chaining
from tests.traces import EVER, Traced, root_of, traced

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE, FUNCTION = "AWS::Lambda", "AWS::Lambda::Function"
ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user whose stack has functions that invoke functions, as threads."""
    own = chaining.written(tmp_path_factory.mktemp("stack"))
    with System(own, time_scale=100, durable_scale=100, in_process=True) as system:
        yield User(system)


@pytest.fixture(autouse=True)
def _mended(user: User) -> Iterator[None]:
    """Let nothing go wrong after the test."""
    yield
    user.system.seams.clear()


def of(user: User, function: str) -> list[Traced]:
    """Return the whole traces that one of a function's invocations has begun."""
    xray = user.client("xray")
    summaries = xray.get_trace_summaries(**EVER)["TraceSummaries"]
    begun = [s["Id"] for s in summaries if s["EntryPoint"]["Name"] == function]
    found = (traced(xray, trace_id) for trace_id in begun)
    return [trace for trace in found if trace and not _is_partial(trace)]


def _is_partial(trace: Traced) -> bool:
    return any("in_progress" in part for part in trace.parts)


def invoke(user: User, function: str, header: str | None, payload: Any, **more: str) -> Any:
    """Invoke a function with a trace header."""
    system = user.system
    client = boto3.client("lambda", endpoint_url=system.endpoint, region_name=system.stack.region)

    def add(request: Any, **_: Any) -> None:
        if header:
            request.headers["X-Amzn-Trace-Id"] = header

    client.meta.events.register("before-sign", add)
    return client.invoke(FunctionName=function, Payload=json.dumps(payload), **more)


@pytest.mark.parametrize("flow", ["polling", "dynamodb", "eventbridge"])
def test_one_execution(user: User, flow: Any) -> None:
    """An execution has one trace: later invocations are below the first; its record names it."""
    arn = user.start(flow, processingTime=0)
    user.ended(arn)
    trace = traced(user.client("xray"), root_of(user.record(arn)["traceHeader"]))
    assert trace is not None
    services, functions = trace.of(SERVICE), trace.of(FUNCTION)
    [root] = trace.roots
    assert [s.get("parent_id") for s in services] == [None] + [root["id"]] * (len(services) - 1)
    assert [f["parent_id"] for f in functions] == [s["id"] for s in services]
    assert f"Parent={functions[0]['id']};" in user.record(arn)["traceHeader"]
    invocations = [e for e in user.history(arn) if e["EventType"] == "InvocationCompleted"]
    assert len(services) == len(invocations)
    told = [s["aws"]["request_id"] for s in services]
    assert told == [e["InvocationCompletedDetails"]["RequestId"] for e in invocations]
    assert not any(part.get("fault") for part in trace.parts)


def test_segments_of_an_invocation(user: User) -> None:
    """Lambda's segments of service and function name the function, its begin and its end."""
    arn = user.start("dynamodb", processingTime=0)
    user.ended(arn)
    trace = traced(user.client("xray"), root_of(user.record(arn)["traceHeader"]))
    assert trace is not None
    [service], [function] = trace.of(SERVICE), trace.of(FUNCTION)
    name = user.system.functions[user.function("dynamodb").split(":")[6]].configuration.arn
    assert service["name"] == function["name"] == name.rpartition(":")[2]
    assert service["resource_arn"] == function["aws"]["function_arn"] == name
    moments = [part[at] for part, at in ((service, "start_time"), (function, "start_time"))]
    moments += [part[at] for part, at in ((function, "end_time"), (service, "end_time"))]
    assert moments == sorted(moments)


def test_killed(user: User) -> None:
    """An invocation whose process was killed is a fault, in the trace that goes on after it."""
    kill = Kill(after=True)
    user.system.seams.inject(kill, caller="parent", operation="CheckpointDurableExecution")
    user.ended(user.invoke("parent:live", {"function": "brief:live", "payload": {}}))
    [trace] = [t for t in of(user, "parent") if "brief" in {s["name"] for s in t.segments}]
    [killed] = [f for f in trace.of(FUNCTION) if "fault" in f]
    assert killed["name"] == "parent"
    [exception] = killed["cause"]["exceptions"]
    assert exception["type"] == "Runtime.ExitError"
    faults = [s["id"] for s in trace.of(SERVICE) if "fault" in s]
    assert faults == [killed["parent_id"]]
    assert len([s for s in trace.of(SERVICE) if s["name"] == "parent"]) > 1


def test_retries(user: User) -> None:
    """An event on which a function fails is retried in its own trace."""
    journal = user.system.journal
    before, payload = journal.count, json.dumps({"fails": "Sold out"})
    user.durable.invoke(FunctionName="plain", InvocationType="Event", Payload=payload)

    def tries() -> list[Invocation]:
        later = [entry for entry in journal.after(before) if isinstance(entry, Invocation)]
        return [invocation for invocation in later if invocation.function == "plain"]

    user.wait(lambda: len(tries()) > 2)
    [trace] = [t for t in of(user, "plain") if "cause" in t.of(FUNCTION)[0]]
    [root] = trace.roots
    assert [s.get("parent_id") for s in trace.of(SERVICE)] == [None, root["id"], root["id"]]
    messages = [f["cause"]["exceptions"][0]["message"] for f in trace.of(FUNCTION)]
    assert messages == ["Sold out"] * 3


@pytest.mark.parametrize("function", ["plain", "child:live"])
@pytest.mark.parametrize("kind", ["Event", "RequestResponse"])
def test_callers_trace(user: User, function: str, kind: str) -> None:
    """A caller's header names the trace, and the first invocation's parent."""
    if (function, kind) == ("child:live", "RequestResponse"):
        function = "short:live"
    root = f"1-5759e988-{f'{function} {kind}'.encode().hex()[:24]:0<24}"
    header = f"Root={root};Parent={PARENT};Sampled=1"
    invoke(user, function, header, {"order": 7}, InvocationType=kind)

    def ended() -> Traced | None:
        trace = traced(user.client("xray"), root)
        return trace if trace and not _is_partial(trace) else None

    [service] = user.wait(ended).of(SERVICE)
    assert service["parent_id"] == PARENT


def test_not_sampled(user: User) -> None:
    """A trace that its caller does not sample is not kept, and the function learns that."""
    arn = invoke(
        user,
        user.function("dynamodb"),
        f"Root={ROOT};Parent={PARENT};Sampled=0",
        {"processingTime": 0},
        InvocationType="Event",
    )["DurableExecutionArn"]
    user.ended(arn)
    header = user.record(arn)["traceHeader"]
    assert header.startswith(f"Root={ROOT};Parent=")
    assert header.endswith(";Sampled=0")
    assert traced(user.client("xray"), ROOT) is None


@pytest.mark.parametrize("function", ["child:live", "plain:live"])
def test_children(user: User, function: str) -> None:
    """A function invoked by a durable one belongs to its trace, below its first invocation."""
    order = f"Order of {function}"
    arn = user.invoke("parent:live", {"function": function, "payload": {"order": order}})
    user.ended(arn)
    names = {"parent", function.partition(":")[0]}
    [trace] = [t for t in of(user, "parent") if {s["name"] for s in t.segments} == names]
    [root] = trace.roots
    assert root["name"] == "parent"
    assert not trace.strays
    [child] = [s for s in trace.of(SERVICE) if s["name"] != "parent"]
    assert child["parent_id"] == root["id"]


def test_events_begin_traces(user: User) -> None:
    """The functions that events invoke begin traces of their own."""
    arn = user.start("eventbridge", processingTime=0)
    user.ended(arn)
    own = root_of(user.record(arn)["traceHeader"])
    task_state = user.outputs["TaskStateFunctionArn"].split(":")[6]
    traces = user.wait(lambda: of(user, task_state))
    assert own not in {trace.id for trace in traces}
    assert {len(trace.of(SERVICE)) for trace in traces} == {1}
