from __future__ import annotations

import ast
import json
from datetime import datetime, time
from itertools import pairwise
from typing import Any

import botocore.session
import pytest
from moto.events.models import EventPattern

from core.correlation import Correlation
from core.done import Done
from core.metrics import Metric
from core.outcome import classify
from core.record import Record
from tests import template
from tests.markdown import Page
from tests.template import ROOT
from tests.values import record

TOUR = Page(ROOT / "docs" / "tour.md")
STACK = "lambda-ecs-durable-demo"
MODELS = botocore.session.get_session()
ECS = MODELS.get_service_model("ecs")
LAMBDA = MODELS.get_service_model("lambda")


def block(comment: str) -> Any:
    """The JSON of the page that a comment introduces."""
    [text] = [fence.text for fence in TOUR.fences if fence.before == f"<!-- {comment} -->"]
    return json.loads(text)


def lines() -> list[dict[str, Any]]:
    """All log lines of the page, in its order."""
    logs = [fence.text for fence in TOUR.fences if fence.before.startswith("<!-- log of ")]
    return [json.loads(line) for log in logs for line in log.splitlines()]


def texts() -> set[str]:
    """Every text in the deployed code."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / "src").rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


TEXTS = texts()


@pytest.mark.parametrize("line", lines(), ids=lambda line: line["timestamp"])
def test_log_lines(line: dict[str, Any]) -> None:
    """Each log line has a message and fields that the code logs."""
    assert line["message"] in TEXTS
    fields = {*line} - {"timestamp", "message"} | {*line.get("retry", {})}
    assert fields <= TEXTS
    assert line.get("done", Done.NOT_OVER) in set(Done)


def test_times_of_states() -> None:
    """The states follow each other, and the log lines of one function do too."""
    rows = TOUR.table("Time", "`lastStatus`")
    times = [time.fromisoformat(row[0]) for row in rows]
    assert all(earlier < later for earlier, later in pairwise(times))
    for fence in TOUR.fences:
        if fence.before.startswith("<!-- log of "):
            logged = [json.loads(line)["timestamp"] for line in fence.text.splitlines()]
            assert logged == sorted(logged)


def test_record() -> None:
    """The record's fields are attributes that a record has, with values that it may have."""
    shown = block("record")
    read = Record.from_item(record().to_item() | shown).to_item()
    assert read | shown == read


def test_request() -> None:
    """The request's fields are RunTask's, and its `startedBy` is of the stack's form."""
    shown = block("request")
    assert {*shown} <= {*ECS.operation_model("RunTask").input_shape.members}
    correlation = Correlation.parse(shown["startedBy"])
    assert correlation == Correlation(STACK, block("record")["executionId"], 1)
    assert shown["taskDefinition"] == f"{STACK}-worker"


def test_event() -> None:
    """The event is one that the stack's rule takes, of an end by Spot, in ECS's own fields."""
    event = block("event")
    task = event["detail"]
    rule = template.stack(STACK).of_type("AWS::Events::Rule")["TaskStateFunctionTaskStateChange"]
    raw = json.dumps(rule["EventPattern"]).replace("${Cluster.Arn}", task["clusterArn"])
    assert EventPattern(raw, json.loads(raw)).matches_event(event)
    assert {*task} <= {*ECS.shape_for("Task").members}
    assert {*task["containers"][0]} <= {*ECS.shape_for("Container").members}
    outcome = classify(task, "worker")
    assert outcome is not None
    assert f"`{outcome.kind}`" in TOUR.text
    assert task["startedBy"] == block("request")["startedBy"]
    # With the other status that the rule takes, it is no end yet: the page has both lines.
    assert classify(task | {"lastStatus": "DEPROVISIONING"}, "worker") is None


def test_rule() -> None:
    """The page tells the rule's pattern as the template has it."""
    rule = template.stack(STACK).of_type("AWS::Events::Rule")["TaskStateFunctionTaskStateChange"]
    pattern = rule["EventPattern"]["detail"]
    assert {*pattern} == {"clusterArn", "startedBy", "lastStatus"}
    assert pattern["lastStatus"] == ["DEPROVISIONING", "STOPPED"]
    [prefix] = [started["prefix"] for started in pattern["startedBy"]]
    assert f"`startedBy` begins with `{STACK}/`" in TOUR.text
    assert prefix.replace("${AWS::StackName}", STACK) == f"{STACK}/"


def test_result() -> None:
    """The result has the fields of the example of an answer on the page on flows."""
    flows = Page(ROOT / "docs" / "flows.md")
    [returned] = [json.loads(f.text) for f in flows.fences if f.before == "<!-- returned -->"]
    shown = block("result")
    assert list(shown) == list(returned)
    took = datetime.fromisoformat(shown["stoppedAt"]) - datetime.fromisoformat(shown["startedAt"])
    assert round(took.total_seconds()) >= shown["result"]["processingTime"]


def test_history() -> None:
    """The history's events are Lambda's, and its operations have the code's names."""
    kinds = set(LAMBDA.shape_for("EventType").enum)
    for _, event, operation in TOUR.table("Time", "Event"):
        assert event.strip("`") in kinds
        assert operation.strip("`").removesuffix("-2") in TEXTS


def test_metrics() -> None:
    """The metrics are the stack's, and the page's words about them round their values."""
    line = block("metrics")
    named = (Metric.START_SECONDS, Metric.RUN_SECONDS, Metric.ANSWER_SECONDS)
    start, run, answer = (round(line[metric.value.name][0]) for metric in named)
    said = (
        f"{start} seconds from the beginning of the attempt until the container ran, "
        f"{run} seconds of work, and {answer} seconds from the end of the work"
    )
    assert said in " ".join(TOUR.text.split())
