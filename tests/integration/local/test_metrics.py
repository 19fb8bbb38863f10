from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.gateway import Caller
from local.iam.authority import Session
from local.inprocess.identity import current
from local.metrics import Datum, Metrics
from local.system import System
from tests.e2e.user import User

if TYPE_CHECKING:
    from local.functions import Configuration
    from local.surroundings import Surroundings

HOUR = 3_600


@pytest.fixture
def cloudwatch(system: System) -> Any:
    """A client of CloudWatch."""
    return system.account.client("cloudwatch")


def about(moment: datetime) -> dict[str, Any]:
    """The time around a moment, as requests name it."""
    return {"StartTime": moment - timedelta(minutes=10), "EndTime": moment + timedelta(minutes=10)}


def told(
    cloudwatch: Any, namespace: str, name: str, moment: datetime, **dimensions: str
) -> dict[str, float]:
    """GetMetricData's values of a metric around a moment, by statistic."""
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    statistics = ("Sum", "Maximum", "SampleCount")
    answer = cloudwatch.get_metric_data(
        **about(moment),
        MetricDataQueries=[
            {"Id": one.lower(), "MetricStat": {"Metric": metric, "Period": HOUR, "Stat": one}}
            for one in statistics
        ],
    )
    values = [sum(result["Values"]) for result in answer["MetricDataResults"]]
    return dict(zip(statistics, values, strict=True))


def line(name: str, value: float, moment: datetime, **dimensions: str) -> str:
    """A line about a metric, as Powertools writes it."""
    described = {
        "Namespace": "own",
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    }
    stamp = int(moment.timestamp() * 1_000)
    about_it = {"_aws": {"Timestamp": stamp, "CloudWatchMetrics": [described]}}
    return json.dumps({**about_it, **dimensions, name: [value]})


def surroundings(system: System) -> Surroundings:
    """The surroundings that the system's parts share."""
    return system._surroundings  # noqa: SLF001 - only parts of the system ask for it


def configuration(system: System) -> Configuration:
    """The reconciler's configuration, as Lambda has it."""
    return system.functions[f"{system.stack.name}-reconciler-function"].configuration


def test_lines_of_a_function(system: System, cloudwatch: Any) -> None:
    """A function's lines are counted at their own moment, by dimensions, and stay in the log."""
    function, moment = configuration(system), datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    group = function.properties["LoggingConfig"]["LogGroup"]
    write = surroundings(system).writer(function.session, group, "own", "own", counts=True)
    texts = [
        line("Ended", n, moment, flow="x", outcome=o) for n, o in ((1, "a"), (2, "a"), (4, "b"))
    ]
    for text in [*texts, '{"_aws": {"CloudWatchMetrics": [{}]}}']:
        write(text)
    for order in ({"flow": "x", "outcome": "a"}, {"outcome": "a", "flow": "x"}):
        assert told(cloudwatch, "own", "Ended", moment, **order) == {
            "Sum": 3,
            "Maximum": 2,
            "SampleCount": 2,
        }
    # A metric is its dimensions: there is none of fewer, nor of another namespace.
    assert told(cloudwatch, "own", "Ended", moment, flow="x")["SampleCount"] == 0
    assert told(cloudwatch, "own", "Ended", moment)["SampleCount"] == 0
    assert told(cloudwatch, "other", "Ended", moment, flow="x", outcome="a")["SampleCount"] == 0
    logs = system.account.client("logs")

    def logged() -> bool:
        asked = {"logGroupName": group, "logStreamNames": ["own"]}
        return len(logs.filter_log_events(**asked)["events"]) == 4

    assert User(system).wait(logged)


def test_lines_of_a_worker(system: System, cloudwatch: Any) -> None:
    """A worker's line is no metric, whatever it looks like, and neither is one that is not kept."""
    moment = datetime.now(UTC)
    function = configuration(system)
    group = function.properties["LoggingConfig"]["LogGroup"]
    writer, text = surroundings(system).writer, line("A", 1, moment, flow="x")
    writer(function.session, group, "own", "worker")(text)
    writer(Session("", "nobody"), group, "own", "nobody", counts=True)(text)
    assert told(cloudwatch, "own", "A", moment, flow="x")["SampleCount"] == 0


def test_invocations(user: User, cloudwatch: Any) -> None:
    """Lambda counts each invocation of a function, and those that failed."""
    name, began = f"{user.stack}-task-state-function", datetime.now(UTC)
    arn = user.outputs["TaskStateFunctionArn"]

    def counted() -> tuple[float, float]:
        kinds = ("Invocations", "Errors")
        found = [told(cloudwatch, "AWS/Lambda", kind, began, FunctionName=name) for kind in kinds]
        assert told(cloudwatch, "AWS/Lambda", "Throttles", began, FunctionName=name)["Sum"] == 0
        return found[0]["Sum"], found[1]["Sum"]

    invocations, errors = counted()
    answer = user.durable.invoke(FunctionName=arn, Payload=b'{"detail": 1}')
    assert "FunctionError" in answer
    assert counted()[1] == errors + 1
    assert counted()[0] > invocations


def test_queues(system: System, cloudwatch: Any) -> None:
    """A queue's metric is the number of messages that can be received at that moment."""
    queue, sqs = f"{system.stack.name}-undelivered-events", system.account.client("sqs")
    url, now = system.stack.outputs["UndeliveredEventsQueueUrl"], datetime.now(UTC)

    def visible() -> float:
        metric = "ApproximateNumberOfMessagesVisible"
        return told(cloudwatch, "AWS/SQS", metric, now, QueueName=queue)["Maximum"]

    before = visible()
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    assert visible() == before + 1
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert visible() == before + 1 - len(received)
    for message in received:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_running_executions(user: User, cloudwatch: Any) -> None:
    """The share of Lambda's quota that running executions take grows with each of them."""
    now, name = datetime.now(UTC), "ApproximateRunningDurableExecutionsUtilization"
    arn = user.start("eventbridge", processingTime=600)
    assert 0 < told(cloudwatch, "AWS/Lambda", name, now)["Maximum"] < 1
    user.durable.stop_durable_execution(DurableExecutionArn=arn)


def test_periods(system: System, cloudwatch: Any) -> None:
    """Periods begin at multiples of their length, wherever they are asked from, in order."""
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)
    values = {noon + timedelta(seconds=s): n for s, n in ((10, 1.0), (70, 2.0), (130, 4.0))}
    system.metrics.put(*(Datum("own", "P", n, "Count", {}, at) for at, n in values.items()))
    asked = {
        "Namespace": "own",
        "MetricName": "P",
        "StartTime": noon + timedelta(seconds=65),
        "EndTime": noon + timedelta(seconds=130),
        "Period": 60,
    }
    points = cloudwatch.get_metric_statistics(**asked, Statistics=["Sum"])["Datapoints"]
    assert [(p["Timestamp"], p["Sum"], p["Unit"]) for p in points] == [
        (noon + timedelta(minutes=1), 2, "Count"),
        (noon + timedelta(minutes=2), 4, "Count"),
    ]
    for unit, found in (("Count", 2), ("Seconds", 0)):
        answer = cloudwatch.get_metric_statistics(**asked, Statistics=["Sum"], Unit=unit)
        assert len(answer["Datapoints"]) == found
    query = {"Metric": {"Namespace": "own", "MetricName": "P"}, "Period": 60, "Stat": "Average"}
    [result] = cloudwatch.get_metric_data(
        StartTime=noon,
        EndTime=noon + timedelta(hours=1),
        MetricDataQueries=[
            {"Id": "shown", "MetricStat": query},
            {"Id": "hidden", "MetricStat": query, "ReturnData": False},
        ],
    )["MetricDataResults"]
    # The newest first, as in AWS.
    assert (result["Id"], result["Values"]) == ("shown", [4, 2, 1])


def test_what_people_put(cloudwatch: Any) -> None:
    """A value that a person has put is read like any other."""
    now = datetime.now(UTC)
    for more in ({}, {"Timestamp": now}):
        datum = {"MetricName": "Mine", "Value": 5, **more}
        cloudwatch.put_metric_data(Namespace="mine", MetricData=[datum])
    assert told(cloudwatch, "mine", "Mine", now) == {"Sum": 10, "Maximum": 5, "SampleCount": 2}


def test_list(system: System, cloudwatch: Any) -> None:
    """Each metric is listed once, AWS's own too, and may be asked for by name and dimension."""
    moment = datetime.now(UTC)
    for _ in range(2):
        system.metrics.put(
            Datum("own", "L", 1, "Count", {}, moment),
            Datum("own", "L", 1, "Count", {"flow": "x"}, moment),
        )
    listed = cloudwatch.list_metrics(Namespace="own", MetricName="L")["Metrics"]
    assert [metric["Dimensions"] for metric in listed] == [[], [{"Name": "flow", "Value": "x"}]]
    by_name = {"Namespace": "own", "MetricName": "L", "Dimensions": [{"Name": "flow"}]}
    assert len(cloudwatch.list_metrics(**by_name)["Metrics"]) == 1
    queues = cloudwatch.list_metrics(Namespace="AWS/SQS")["Metrics"]
    assert len(queues) == len(system.stack.of_type("AWS::SQS::Queue"))


def query(**changes: Any) -> dict[str, Any]:
    """A query of GetMetricData, with something changed."""
    metric = {"Namespace": "own", "MetricName": "P"}
    return {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, **changes}


def test_refusals(cloudwatch: Any) -> None:
    """Percentiles and expressions are refused in words that say what is known, and so are times."""
    now = datetime.now(UTC)
    metric = {"Metric": {"Namespace": "own", "MetricName": "P"}, "Period": 60, "Stat": "p99"}
    refused = cloudwatch.exceptions.ClientError
    with pytest.raises(refused, match=r"\(ValidationError\).*p99 is not known here.*SampleCount"):
        cloudwatch.get_metric_data(**about(now), MetricDataQueries=[query(MetricStat=metric)])
    with pytest.raises(refused, match="Expressions are not known here"):
        cloudwatch.get_metric_data(
            **about(now), MetricDataQueries=[{"Id": "e", "Expression": "SUM(METRICS())"}]
        )
    asked = {"Namespace": "own", "MetricName": "P", "Period": 60}
    with pytest.raises(refused, match=r"\(InvalidParameterValue\).*percentile"):
        cloudwatch.get_metric_statistics(**asked, **about(now), ExtendedStatistics=["p99"])
    none = {"StartTime": now, "EndTime": now}
    with pytest.raises(refused, match="EndTime"):
        cloudwatch.get_metric_statistics(**asked, **none, Statistics=["Sum"])
    with pytest.raises(refused, match="EndTime"):
        cloudwatch.get_metric_data(**none, MetricDataQueries=[query()])


def test_bound(system: System) -> None:
    """The oldest values are forgotten once there are too many."""
    metrics, moment = Metrics(system.stack, system.clock.now, most=10), datetime.now(UTC)
    own = [Datum("bound", str(n), n, "Count", {}, moment) for n in range(11)]
    before = metrics.backend.metric_data[:]
    try:
        metrics.backend.metric_data[:] = []
        for datum in own:
            metrics.put(datum)
        kept = [datum.name for datum in metrics.backend.metric_data if datum.namespace == "bound"]
        assert kept == [str(n) for n in range(2, 11)]
    finally:
        metrics.backend.metric_data[:] = before


def test_in_process() -> None:
    """A function's metrics count on threads too, and a worker's line does not."""
    with System(time_scale=100, in_process=True) as system:
        name, now = f"{system.stack.name}-reconciler-function", datetime.now(UTC)
        write = importlib.import_module("adapters.metrics").write
        for caller in (Caller(name, "Role"), Caller(f"family:{system.stack.name}-worker", "Role")):
            was = current.set(caller)
            write(line("Seen", 1, now, flow="x"))
            current.reset(was)
        assert told(system.account.client("cloudwatch"), "own", "Seen", now, flow="x")["Sum"] == 1
