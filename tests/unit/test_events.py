from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import botocore.session
import msgspec
import pytest
from moto.events.models import EventPattern

from adapters.settings import OrchestratorSettings, TaskStateSettings
from core.correlation import Correlation
from core.flow import Flow
from core.outcome import FailedToStart, classify
from core.payload import Payload
from core.reading import names
from tests import template
from tests.markdown import Page
from tests.samples import FOLDER, NAME, PAYLOADS, TASK_EVENTS, Sample, environment, samples
from tests.template import ACCOUNT, REGION, ROOT
from tests.values import launch, parsed, place

CLUSTER = environment()["CLUSTER_ARN"]
FLOWS = {"polling": Flow.POLLING, "DynamoDB": Flow.DYNAMODB, "EventBridge": Flow.EVENTBRIDGE}
ECS = botocore.session.get_session().get_service_model("ecs")
# The fields of ECS's own model; events add when they speak of.
TASK_FIELDS = {*ECS.shape_for("Task").members, "updatedAt"}
CONTAINER_FIELDS = set(ECS.shape_for("Container").members)
MOMENTS = ["createdAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "startedAt"]
# A stop makes the containers end, or follows from their end: these come in either order.
ENDS = ["executionStoppedAt", "stoppingAt"]
EACH_PAYLOAD = pytest.mark.parametrize(
    "payload", samples(PAYLOADS).values(), ids=samples(PAYLOADS).keys()
)
EACH_EVENT = pytest.mark.parametrize(
    "event", samples(TASK_EVENTS).values(), ids=samples(TASK_EVENTS).keys()
)


def detail(name: str) -> dict[str, Any]:
    """Return a sample event's task."""
    return dict(samples(TASK_EVENTS)[name].read()["detail"])


def test_every_file_is_described() -> None:
    """Every file has its row in the README, or is what the README tells to use them with."""
    described = [*samples(PAYLOADS).values(), *samples(TASK_EVENTS).values()]
    paths = {path for path in FOLDER.rglob("*") if path.is_file()}
    others = {FOLDER / "README.md", FOLDER / "environment.json"}
    assert paths == {sample.path for sample in described} | others


@EACH_PAYLOAD
def test_payload(payload: Sample) -> None:
    """A payload is accepted by the flows that it is for."""
    named = payload.cells["Flow"]
    flows = FLOWS.values() if named == "any" else [FLOWS[flow] for flow in named.split(", ")]
    for flow in flows:
        told = parsed(payload.read(), flow, stack=NAME).job.environment
        assert told.get("MESSAGE") == payload.read().get("message")


def test_payloads_of_the_page() -> None:
    """Each payload of the page that asks for more than the demo is a file, and so is each field."""
    files = [sample.read() for sample in samples(PAYLOADS).values()]
    fences = Page(ROOT / "docs" / "payload.md").fences
    shown = [json.loads(fence.text) for fence in fences if fence.language == "json"]
    assert [payload for payload in shown if "message" not in payload and payload not in files] == []
    assert {name for payload in files for name in payload} == set(names(Payload))


def test_failing_payload() -> None:
    """The failing payload asks for the exit code that its row tells."""
    payload = samples(PAYLOADS)["failing.json"]
    told = parsed(payload.read(), Flow.POLLING).job.environment
    assert json.loads(told["SIMULATE"]) == {"exitCode": 3}
    assert "code 3" in payload.cells["What it shows"]


def test_late_payload() -> None:
    """The late payload leaves the task no time to start in."""
    work = parsed(samples(PAYLOADS)["late.json"].read(), Flow.EVENTBRIDGE)
    assert str(work.timeout_seconds) == work.job.environment["PROCESSING_TIME"]


@EACH_EVENT
def test_rule(event: Sample) -> None:
    """The template's rule takes those events that the README says it takes."""
    rules = template.stack(NAME).of_type("AWS::Events::Rule")
    rule = rules["TaskStateFunctionTaskStateChange"]
    raw = json.dumps(rule["EventPattern"]).replace("${Cluster.Arn}", CLUSTER)
    pattern = EventPattern(raw, json.loads(raw))
    assert pattern.matches_event(event.read()) is (event.cells["Rule"] == "yes")


@EACH_EVENT
def test_outcome(event: Sample) -> None:
    """Each task ended as the README says."""
    outcome = classify(event.read()["detail"], "worker")
    assert (outcome.kind if outcome else "not over") == event.cells["Outcome"]


@EACH_EVENT
def test_shape(event: Sample) -> None:
    """An event has the envelope and the fields that ECS gives it, and speaks of one task."""
    sample = event.read()
    task = sample["detail"]
    envelope = ["version", "source", "detail-type", "account", "region", "resources"]
    assert [sample[name] for name in envelope] == [
        *("0", "aws.ecs", "ECS Task State Change"),
        *(ACCOUNT, REGION, [task["taskArn"]]),
    ]
    assert task.keys() <= TASK_FIELDS
    assert task["stopCode"] in ECS.shape_for("TaskStopCode").enum
    for container in task["containers"]:
        assert container.keys() <= CONTAINER_FIELDS
        assert container["taskArn"] == task["taskArn"]


@EACH_EVENT
def test_moments(event: Sample) -> None:
    """An event's moments follow each other as they do in a task's life."""
    task = event.read()["detail"]
    times = {name: datetime.fromisoformat(task[name]) for name in task if name.endswith("At")}
    updated = times.pop("updatedAt")
    ends = sorted(times.pop(name) for name in ENDS if name in times)
    stopped = [times.pop("stoppedAt")] if task["lastStatus"] == "STOPPED" else []
    moments = [*(times.pop(name) for name in MOMENTS if name in times), *ends, *stopped]
    assert not times
    assert all(earlier <= later for earlier, later in pairwise(moments))
    assert updated == moments[-1]
    assert datetime.fromisoformat(event.read()["time"]) == updated.replace(microsecond=0)


@pytest.mark.parametrize("name", [n for n in samples(TASK_EVENTS) if n != "foreign-task.json"])
def test_launched_by_us(name: str) -> None:
    """Each task but the foreign one carries what a launch of ours writes into its request."""
    task = detail(name)
    correlation = Correlation.parse(task["startedBy"])
    assert correlation is not None
    assert correlation.stack == NAME
    [container] = task["overrides"]["containerOverrides"]
    variables = {pair["name"]: pair["value"] for pair in container["environment"]}
    flow = Flow(variables["EXECUTION_FLOW"])
    asked = launch(correlation=correlation, flow=flow, job=parsed(_payload(variables), flow).job)
    settings = msgspec.convert(
        _template_environment() | environment(), OrchestratorSettings, strict=False
    )
    assert task["overrides"] == asked.request(place(table=settings.table_name))["overrides"]
    assert task["group"] == f"family:{settings.task_family}"


def _payload(variables: dict[str, str]) -> dict[str, Any]:
    """Return the payload that has led to the variables of a container."""
    seconds, failure = int(variables["PROCESSING_TIME"]), variables.get("SIMULATE", "null")
    payload = {"message": variables["MESSAGE"], "processingTime": seconds}
    return payload | {"simulate": json.loads(failure)}


@pytest.mark.parametrize(
    ("first", "second"),
    [("spot-warning.json", "spot-interruption.json"), ("deprovisioning.json", "stopped.json")],
)
def test_pairs(first: str, second: str) -> None:
    """The events that tell of the same task differ by its progress alone."""
    earlier, later = detail(first), detail(second)
    assert earlier["version"] < later["version"]
    unchanged = TASK_FIELDS - {"attachments", "containers", "lastStatus", "updatedAt", "version"}
    for name in unchanged & earlier.keys():
        assert earlier[name] == later[name]


def test_transient() -> None:
    """An image that does not exist is no passing shortage."""
    outcome = classify(detail("failed-to-start.json"), "worker")
    assert isinstance(outcome, FailedToStart)
    assert not outcome.transient


def test_environment() -> None:
    """The environment for `sam local invoke` holds the names that the template gives."""
    given, defaults = environment(), _template_environment()
    stack = template.stack(NAME)
    tables = {
        f"${{{key}}}": t["TableName"] for key, t in stack.of_type("AWS::DynamoDB::Table").items()
    }
    [cluster] = stack.of_type("AWS::ECS::Cluster").values()
    assert CLUSTER.split(":") == [
        "arn",
        "aws",
        "ecs",
        REGION,
        ACCOUNT,
        f"cluster/{cluster['ClusterName']}",
    ]
    for name in ("STACK_NAME", "TASK_FAMILY", "CONTAINER_NAME", "TABLE_NAME", "IDEMPOTENCY_TABLE"):
        assert given[name] == tables.get(defaults[name], defaults[name])
    for kind in (OrchestratorSettings, TaskStateSettings):
        msgspec.convert(defaults | given, kind, strict=False)
    assert not [value for value in (defaults | given).values() if "${" in value]


def _template_environment() -> dict[str, str]:
    """Return the variables of all functions, references to resources still symbols."""
    functions = template.stack(NAME).of_type("AWS::Lambda::Function").values()
    return {
        name: str(value)
        for function in functions
        for name, value in function["Environment"]["Variables"].items()
    }
