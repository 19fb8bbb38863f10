from __future__ import annotations

import json

import pytest

from local.errors import ApiError
from local.logs.insights import Line, parse


def line(moment: int, text: str = "", /, **fields: object) -> Line:
    """A line of a function, that many milliseconds after the beginning of 1970."""
    said = text or json.dumps(fields)
    return Line(moment, "123456789012:/aws/lambda/f", "[1]s", said, f"p{moment}")


LINES = [
    line(1_000, level="INFO", message="Task started", attempt=1),
    line(3_500, level="ERROR", message="Task failed", error={"kind": "OutOfMemory"}),
    line(2_001, "no JSON"),
]


def found(query: str) -> list[str]:
    """The pointers of the rows that a query finds."""
    return [row["@ptr"] for row in parse(query).rows(LINES)]


def test_fields() -> None:
    """A row has the fields that were asked for, deep in the message too, where they are there."""
    rows = parse("fields @timestamp, @log,@logStream, level, error.kind, error").rows(LINES)
    logged = {"@log": "123456789012:/aws/lambda/f", "@logStream": "[1]s"}
    assert rows == [
        {
            "@timestamp": "1970-01-01 00:00:03.500",
            **logged,
            "level": "ERROR",
            "error.kind": "OutOfMemory",
            "@ptr": "p3500",
        },
        {"@timestamp": "1970-01-01 00:00:02.001", **logged, "@ptr": "p2001"},
        {"@timestamp": "1970-01-01 00:00:01.000", **logged, "level": "INFO", "@ptr": "p1000"},
    ]


def test_no_fields() -> None:
    """A query that names no fields shows when a line came, and what it says."""
    [row] = parse('filter @message = "no JSON"').rows(LINES)
    assert row == {"@timestamp": "1970-01-01 00:00:02.001", "@message": "no JSON", "@ptr": "p2001"}


@pytest.mark.parametrize(
    ("condition", "pointers"),
    [
        ('level = "INFO"', ["p1000"]),
        ("level='INFO'", ["p1000"]),
        ("attempt = 1", ["p1000"]),
        ('error.kind = "OutOfMemory" or level = "INFO"', ["p3500", "p1000"]),
        ('level = "INFO" and message = "Task failed"', []),
        ('message like "Task" AND level = "ERROR" OR @message like "no"', ["p3500", "p2001"]),
        ('level = "INFO" | filter message = "Task failed"', []),
        ('absent = ""', []),
    ],
)
def test_filter(condition: str, pointers: list[str]) -> None:
    """A row is there if one alternative holds, in each filter."""
    assert found(f"filter {condition}") == pointers


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("fields level", ["p3500", "p2001", "p1000"]),
        ("fields level | sort @timestamp desc", ["p3500", "p2001", "p1000"]),
        ("fields level\n| sort @timestamp asc\n| limit 2", ["p1000", "p2001"]),
    ],
)
def test_order(query: str, pointers: list[str]) -> None:
    """Rows come in the order that is asked for, else the newest first, and no more than asked."""
    assert found(query) == pointers


@pytest.mark.parametrize(
    "command",
    [
        "stats count(*) by level",
        'filter level != "INFO"',
        "filter level like /INFO/",
        'filter (level = "INFO")',
        "filter level = INFO",
        "filter",
        "fields",
        "fields strlen(level) as length",
        "sort level asc",
        "limit few",
        "limit 0",
        'filter level = "INFO" or',
        'filter and level = "INFO"',
        'filter level = "INFO',
        "fields level,, message",
        "fields level,",
    ],
)
def test_unknown(command: str) -> None:
    """A command that is not known here is refused, not passed over."""
    with pytest.raises(ApiError, match="Not known here: ") as refused:
        parse(f"fields @message | {command}")
    assert refused.value.response.headers["x-amzn-ErrorType"] == "MalformedQueryException"
