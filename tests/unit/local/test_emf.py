from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.metrics.emf import Datum, data

MOMENT = datetime(2026, 11, 29, 12, 0, 0, 250_000, UTC)
AT = str(int(MOMENT.timestamp() * 1_000))


def line(*directives: Any, **members: Any) -> str:
    """A line with what it says of metrics, and its members."""
    told = {"Timestamp": int(MOMENT.timestamp() * 1_000), "CloudWatchMetrics": directives}
    return json.dumps({"_aws": told, **members})


def directive(*metrics: Any, **changes: Any) -> dict[str, Any]:
    """One part of a line: in a namespace, by flow, these metrics."""
    return {"Namespace": "stack", "Dimensions": [["flow"]], "Metrics": metrics, **changes}


def datum(name: str, value: float, unit: str = "None", **dimensions: str) -> Datum:
    """A value at the line's moment."""
    return Datum("stack", name, value, unit, dimensions, MOMENT)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            line(directive({"Name": "Started", "Unit": "Count"}), flow="polling", Started=2),
            [datum("Started", 2, "Count", flow="polling")],
        ),
        (
            line(directive({"Name": "Seconds", "Unit": "Seconds"}), flow="x", Seconds=[1.5, 2]),
            [
                datum("Seconds", 1.5, "Seconds", flow="x"),
                datum("Seconds", 2, "Seconds", flow="x"),
            ],
        ),
        (line(directive({"Name": "Missed"}, Dimensions=[[]]), Missed=1), [datum("Missed", 1)]),
        (
            line(directive({"Name": "A"}, Dimensions=[["flow"], []]), flow="x", A=1),
            [datum("A", 1, flow="x"), datum("A", 1)],
        ),
        (
            line(
                directive({"Name": "A"}, {"Name": "B"}),
                directive({"Name": "C"}),
                flow="x",
                A=1,
                B=2,
                C=3,
            ),
            [datum("A", 1, flow="x"), datum("B", 2, flow="x"), datum("C", 3, flow="x")],
        ),
        (line(directive(Dimensions=[]), more="of the line"), []),
    ],
    ids=["one", "values", "no dimension", "two sets", "several", "none"],
)
def test_lines(written: str, expected: list[Datum]) -> None:
    """A line's values have its moment, their unit, and each set of dimensions that it names."""
    assert data(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "Task started",
        '{"message": "about _aws"}',
        '"_aws"',
        '["_aws"]',
        '{"_aws": ' + "[" * 300,
        '{"_aws": null}',
        '{"_aws": {"Timestamp": 1}}',
        '{"_aws": {"Timestamp": "soon", "CloudWatchMetrics": []}}',
        '{"_aws": {"Timestamp": 1e400, "CloudWatchMetrics": []}}',
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": 1}}',
        line("text"),
        line({"Namespace": "stack"}),
        line(directive({"Name": "A"}), A=1),
        line(directive({"Name": "A"}), flow=1, A=1),
        line(directive({"Name": "A"}), flow="x"),
        line(directive({"Name": "A"}), flow="x", A="1"),
        line(directive({"Name": "A"}), flow="x", A=True),
        line(directive({"Name": "A"}), flow="x", A=float("nan")),
        line(directive({"Name": "A"}), flow="x", A=[1] * 101),
        line(directive({"Name": "A"}, Namespace=""), flow="x", A=1),
        line(directive({"Name": "A", "Unit": 1}), flow="x", A=1),
        line(directive("A"), flow="x", A=1),
        line(directive(*[{"Name": "A"}] * 101), flow="x", A=1),
        line(directive({"Name": "A"}, Dimensions="flow"), flow="x", A=1),
        line(directive({"Name": "A"}), directive({"Name": "B"}), flow="x", A=1),
        line(directive({"Name": "A"}, Namespace="AWS/Lambda"), flow="x", A=1),
        line(directive({"Name": "A"}, Namespace="x" * 1025), flow="x", A=1),
        line(directive({"Name": "A"}, Namespace="half a character: \ud83d"), flow="x", A=1),
        line(directive({"Name": "A"}), flow="x" * 1025, A=1),
        line(directive({"Name": "A"}), flow="x", A=1).replace(AT, "-62135596800000"),
        line(directive({"Name": "A"}), flow="x", A=1).replace(AT, "253402300799000"),
        line(directive(*[{"Name": "A"}] * 100, Dimensions=[[]] * 4000), A=[1] * 100),
    ],
)
def test_other_lines(written: str) -> None:
    """A line that is none of the format, or wrong in any part, holds no value."""
    assert data(written) == []
