from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.metrics import Metric
from core.visibility import EVENT_GRACE
from ecs_events.sweep import PERIOD
from local.metrics import gauges
from local.stack import Stack as Deployed
from tests import template
from tests.alarms import STATISTICS, Missing, State, Watched, alarm
from tests.markdown import Page, code
from tests.template import ROOT, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.template import Stack

OPERATIONS = Page(ROOT / "docs" / "operations.md")
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
STACK = Deployed(TEMPLATE, "https://sqs", {"WorkerImage": "none"})
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
N = None


def made(**changes: Any) -> dict[str, Any]:
    """The properties of an alarm on one metric, with some changed."""
    return {
        "AlarmName": "demo-alarm",
        "Namespace": "demo",
        "MetricName": "Failed",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
        **changes,
    }


def together(*names: str, expression: str = "SUM(METRICS())", **changes: Any) -> dict[str, Any]:
    """The properties of an alarm on the sum of metrics."""
    described = made(**changes)
    for name in ("Namespace", "MetricName", "Statistic", "Period"):
        del described[name]
    metrics = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "demo", "MetricName": name},
                "Stat": "Sum",
                "Period": 300,
            },
        }
        for name in names
    ]
    return {**described, "Metrics": [{"Id": "sum", "Expression": expression}, *metrics]}


def state(
    properties: dict[str, Any],
    *values: float | None,
    before: State = State.OK,
    **of_others: float | None,
) -> State:
    """The alarm's state at noon, after the values of the periods before it, the last one last."""
    begins = [NOON - (len(values) - n) * FIVE for n in range(len(values))]
    known = dict(zip(begins, values, strict=True))

    def read(one: Watched, begin: datetime) -> float | None:
        return of_others[one.metric] if of_others else known.get(begin)

    return alarm(properties).state(read, NOON, before)


@pytest.mark.parametrize(
    ("properties", "values", "expected"),
    [
        (made(), [1], State.ALARM),
        (made(), [0], State.OK),
        (made(), [1, 0], State.OK),
        (made(Threshold=1), [1], State.OK),
        (made(ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold=1), [1], State.ALARM),
        (made(ComparisonOperator="LessThanThreshold", Threshold=1), [0], State.ALARM),
        (made(ComparisonOperator="LessThanThreshold", Threshold=1), [1], State.OK),
        (made(ComparisonOperator="LessThanOrEqualToThreshold", Threshold=1), [1], State.ALARM),
        # Without DatapointsToAlarm all have to breach.
        (made(EvaluationPeriods=3), [1, 1, 1], State.ALARM),
        (made(EvaluationPeriods=3), [1, 1, 0], State.OK),
        (made(EvaluationPeriods=3, DatapointsToAlarm=2), [1, 0, 1], State.ALARM),
        (made(EvaluationPeriods=3, DatapointsToAlarm=2), [1, 0, 0], State.OK),
        (made(), [N], State.OK),
        (made(TreatMissingData="breaching"), [N], State.ALARM),
        (made(TreatMissingData="breaching", EvaluationPeriods=2), [N, 0], State.OK),
        (made(TreatMissingData="breaching", EvaluationPeriods=2), [1, N], State.ALARM),
        (made(EvaluationPeriods=2), [1, N], State.OK),
        (made(EvaluationPeriods=2, DatapointsToAlarm=1), [1, N], State.ALARM),
        (made(TreatMissingData="missing"), [N], State.INSUFFICIENT_DATA),
        (made(TreatMissingData="missing", EvaluationPeriods=2), [N, 0], State.OK),
        (made(TreatMissingData="missing", EvaluationPeriods=2), [N, 1], State.OK),
        (
            made(TreatMissingData="ignore", EvaluationPeriods=2, DatapointsToAlarm=1),
            [N, 1],
            State.ALARM,
        ),
    ],
)
def test_state(properties: dict[str, Any], values: list[float | None], expected: State) -> None:
    """An alarm shows itself when enough of its periods breach, or lack what has to be there."""
    assert state(properties, *values) is expected


@pytest.mark.parametrize("before", State)
def test_ignored(before: State) -> None:
    """An alarm that ignores missing values stays as it was while there are none."""
    assert state(made(TreatMissingData="ignore"), N, before=before) is before


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(1, 0, State.ALARM), (1, N, State.ALARM), (0, 0, State.OK), (N, N, State.OK)],
)
def test_sum(first: float | None, second: float | None, expected: State) -> None:
    """The sum of metrics counts those that have a value."""
    assert state(together("First", "Second"), First=first, Second=second) is expected


@pytest.mark.parametrize(
    "properties",
    [
        made(Statistic="Average"),
        made(Statistic="p99"),
        made(ComparisonOperator="LessThanLowerThreshold"),
        made(TreatMissingData="maybe"),
        together("First", "Second", expression="First / Second"),
    ],
)
def test_not_evaluated(properties: dict[str, Any]) -> None:
    """An alarm that asks for what is not evaluated is refused."""
    with pytest.raises(ValueError, match=r"evaluated|maybe"):
        alarm(properties)


each_alarm = pytest.mark.parametrize("properties", ALARMS.values(), ids=ALARMS)


@each_alarm
def test_chosen(properties: dict[str, Any]) -> None:
    """Each alarm says itself what a missing value counts as, and how many values it wants."""
    assert {"TreatMissingData", "DatapointsToAlarm"} <= properties.keys()
    assert {one.statistic for one in alarm(properties).watched} <= {*STATISTICS}


def test_number() -> None:
    """There are at most ten alarms, and only one counts a missing value as breaching."""
    assert len(ALARMS) <= 10
    missing = {name: alarm(one).missing for name, one in ALARMS.items()}
    assert {name for name, how in missing.items() if how is Missing.BREACHING} == {
        "ReconcilerSilentAlarm"
    }


def test_price() -> None:
    """The page on deployment counts the metrics that alarms watch, by which they are billed."""
    rows = Page(ROOT / "docs" / "deploy.md").table("An idle stack")
    [row] = [row for row in rows if "alarms watch" in row[0]]
    watched = [alarm(one).watched for one in ALARMS.values()]
    assert int(row[1]) == sum(map(len, watched))
    assert f"{['', *'123456789', 'ten'][len(watched)]} alarms watch" in row[0]


def test_topic(deploy: Callable[..., Stack]) -> None:
    """Every alarm notifies the parameter's topic, and none without one."""
    for topic, actions in (("", None), (TOPIC, [TOPIC])):
        made_of = deploy(AlarmTopicArn=topic).of_type("AWS::CloudWatch::Alarm").values()
        assert [one.get("AlarmActions") for one in made_of] == [actions] * len(ALARMS)


@pytest.mark.parametrize(
    ("topic", "fits"),
    [
        ("", True),
        (TOPIC, True),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms", True),
        (f"{TOPIC}.fifo", False),
        (f"{TOPIC}:subscription", False),
        ("arn:aws:sqs:us-east-1:123456789012:alarms", False),
        ("alarms", False),
    ],
)
def test_topics(source: dict[str, Any], topic: str, *, fits: bool) -> None:
    """The topic's parameter takes a standard topic of any partition, or nothing."""
    pattern = source["Parameters"]["AlarmTopicArn"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, topic)) is fits


def sections() -> list[str]:
    """The anchors of the runbook's sections, in order."""
    part = OPERATIONS.text.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    titles = re.findall(r"(?m)^### (.+)$", part)
    return [title.lower().replace(" ", "-") for title in titles]


def test_runbook() -> None:
    """Each alarm is named after its section of the runbook; no section is without an alarm."""
    assert sections() == [
        one["AlarmName"].removeprefix(f"{STACK.name}-") for one in ALARMS.values()
    ]
    for section, one in zip(sections(), ALARMS.values(), strict=True):
        assert one["AlarmDescription"].endswith(f" See docs/operations.md#{section}")


def test_faults() -> None:
    """Each alarm has a fault that raises it, and it alone, in the tests of the local system."""
    path = ROOT / "tests" / "integration" / "local" / "test_alarms.py"
    texts = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    assert {*sections()} <= texts


def test_sections_say_what_to_do() -> None:
    """Each section says what the alarm means, where to look and what to do."""
    part = OPERATIONS.text.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    for section in part.split("\n### ")[1:]:
        assert re.findall(r"(?m)^- \*\*([^*]+)\*\*", section) == ["It means", "Look", "Do"]


def test_table() -> None:
    """The page's table has each metric of the code, with its unit and its dimensions."""
    rows = {code(row[0])[0]: (row[1], code(row[2])) for row in OPERATIONS.table("Metric", "Unit")}
    kinds = [metric.value for metric in Metric]
    assert rows == {kind.name: (kind.unit, [*kind.dimensions]) for kind in kinds}


def test_emitted() -> None:
    """Each metric of the table is counted somewhere in the functions' code."""
    named = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Metric":
                named.add(node.attr)
    assert named >= {metric.name for metric in Metric}


@each_alarm
def test_watched(properties: dict[str, Any]) -> None:
    """Each alarm watches metrics that somebody counts: the functions themselves, or AWS."""
    for one in alarm(properties).watched:
        names = tuple(name for name, _ in one.dimensions)
        assert (one.namespace, one.metric, names) in counted()


def counted() -> set[tuple[str, str, tuple[str, ...]]]:
    """The metrics that there are: namespace, name, names of dimensions."""
    ours = {(STACK.name, m.value.name, m.value.dimensions) for m in Metric}
    lambdas = {
        ("AWS/Lambda", name, ("FunctionName",)) for name in ("Invocations", "Errors", "Throttles")
    }
    measured = [*gauges.queues(STACK), gauges.running(lambda: 0)]
    return ours | lambdas | {(g.namespace, g.name, tuple(g.dimensions)) for g in measured}


def test_overdue() -> None:
    """A record whose task is stopped in time raises no alarm, though no event tells its end."""
    [one] = [a for a in map(alarm, ALARMS.values()) if a.name.endswith("-records-overdue")]
    [definition] = STACK.of_type("AWS::ECS::TaskDefinition").values()
    [container] = definition["ContainerDefinitions"]
    stopping = timedelta(seconds=container["StopTimeout"]) + timedelta(minutes=1)
    slowest = 2 * (EVENT_GRACE + PERIOD) + stopping
    assert slowest < timedelta(seconds=one.threshold) < timedelta(hours=1)


def test_functions() -> None:
    """Throttles of all functions are watched, errors of the durable ones and the reconciler."""
    functions = STACK.of_type("AWS::Lambda::Function").values()
    durable = {f["FunctionName"] for f in functions if "DurableConfig" in f}
    watched: dict[str, set[str]] = {}
    for properties in ALARMS.values():
        for one in alarm(properties).watched:
            watched.setdefault(one.metric, set()).update(dict(one.dimensions).values())
    assert watched["Throttles"] == {f["FunctionName"] for f in functions}
    assert watched["Errors"] == durable | {f"{STACK.name}-reconciler-function"}


def test_dashboard() -> None:
    """The dashboard shows every alarm and every metric of the table, with its dimensions."""
    [dashboard] = STACK.of_type("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == f"{STACK.name}-{STACK.region}"
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    [shown] = [w["properties"]["alarms"] for w in widgets if w["type"] == "alarm"]
    assert shown == [STACK.arn(name) for name in ALARMS]
    metrics = [metric for w in widgets for metric in w["properties"].get("metrics", ())]
    found = {(name, ()) for namespace, name, *_ in (m for m in metrics if len(m) > 1)}
    for [searched] in (m for m in metrics if len(m) == 1):
        form = rf"SEARCH\('\{{\"{STACK.name}\",([\w,]+)\}} MetricName=\"(\w+)\"', '\w+', 300\)"
        [(dimensions, name)] = re.findall(form, searched["expression"])
        found.add((name, tuple(dimensions.split(","))))
    assert found == {(m.value.name, m.value.dimensions) for m in Metric}


def test_source() -> None:
    """The alarms are the template's own: the transform adds none."""
    written = [r for r in template.source()["Resources"].values() if r["Type"].endswith("::Alarm")]
    assert len(written) == len(ALARMS)
