from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.updates import plain
from core.data import MAX_KEY_BYTES, address
from core.reported import (
    COLUMNS,
    LONGEST_PROGRESS,
    MAX_URI,
    TICKET_RESERVE,
    moment,
    progress,
    reworded,
    ticket,
    uri,
    words,
)
from tests.permissions.policies import granted
from tests.template import named_stack, translated

AT = "2026-03-02T09:15:00.000Z"
ERROR = {"kind": "ApplicationFailed", "summary": "It failed.", "exitCode": None, "attempt": 2}


def test_columns() -> None:
    """The columns that are read whatever they hold are those that the task's role may write."""
    [named] = [
        condition.values
        for grant in granted(named_stack(translated()))
        if (grant.holder, grant.action) == ("TaskRole", "dynamodb:UpdateItem")
        for condition in grant.conditions
        if condition.operator == "ForAllValues:StringEquals"
    ]
    assert set(named) == {"executionId", *COLUMNS}


def test_ticket() -> None:
    """A ticket is what a launch draws, and as long as what its check reserves."""
    drawn = secrets.token_hex(16)
    assert ticket(drawn) == drawn
    assert len(drawn) == len(TICKET_RESERVE)


@pytest.mark.parametrize(
    "stored",
    [
        *({"S": text} for text in ("", "0" * 31, "0" * 33, "g" * 32, "A" * 32, f"{'0' * 32}\n")),
        *({"N": "1"}, {"B": b"0" * 32}, {"BOOL": True}, {"NULL": True}, {"SS": ["0" * 32]}),
        *({"L": [{"S": "0" * 32}]}, {"M": {}}),
    ],
    ids=str,
)
def test_no_ticket(stored: dict[str, Any]) -> None:
    """A value that has not a ticket's form is no ticket."""
    assert ticket(plain({"ticket": stored})["ticket"]) is None


@pytest.mark.parametrize(
    ("stored", "taken"),
    [
        ({"M": {"summary": {"S": "disk full"}}}, {"summary": "disk full"}),
        ({"M": {"detail": {"N": "7"}, "advice": {"L": []}}}, {"detail": "7", "advice": "[]"}),
        ({"M": {"summary": {"S": ""}, "detail": {"NULL": True}}}, {}),
        ({"M": {"kind": {"S": "Succeeded"}, "attempt": {"N": "9"}, "logTail": {"L": []}}}, {}),
        ({"M": {"taskArn": {"S": "x"}, "consoleLink": {"S": "x"}, "logStream": {"S": "x"}}}, {}),
        ({"S": "disk full"}, {"summary": "disk full"}),
        ({"B": b"x"}, {"summary": '"x"'}),
        ({"L": [{"N": "7"}]}, {"summary": "[7]"}),
        ({"BOOL": False}, {"summary": "false"}),
        ({"NULL": True}, {}),
        ({"S": ""}, {}),
        ({"S": "half \ud83d"}, {"summary": "half ?"}),
    ],
    ids=str,
)
def test_words(stored: dict[str, Any], taken: dict[str, str]) -> None:
    """Summary, detail and advice of a worker's error are taken as text, of any type; no others."""
    assert words(plain({"error": stored})["error"]) == taken


@pytest.mark.parametrize(
    ("name", "length"), [("summary", 1000), ("detail", 2000), ("advice", 1000)]
)
def test_long_words(name: str, length: int) -> None:
    """Words beyond their limit are cut, and show that they were."""
    assert words({name: "é" * length})[name] == "é" * length
    assert words({name: "é" * (length + 1)})[name] == f"{'é' * (length - 1)}…"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        *((Decimal(0), 0), (Decimal("3.0"), 3), (7, 7), (Decimal(255), 255)),
        *((Decimal("3.5"), None), (Decimal(256), None), (Decimal(-1), None)),
        *((Decimal("9.9E+125"), None), (True, None), ("3", None), (None, None), ([3], None)),
    ],
)
def test_exit_code(given: object, taken: int | None) -> None:
    """An exit code is taken only if a process can end with it."""
    assert words({"exitCode": given}).get("exitCode") == taken


def test_reworded() -> None:
    """An error has its worker's words, and its worker's exit code where ECS has none."""
    said = {"summary": "bad row", "exitCode": 3}
    assert reworded(ERROR, said) == {**ERROR, "summary": "bad row", "exitCode": 3}
    assert reworded({**ERROR, "exitCode": 1}, said)["exitCode"] == 1
    assert reworded(ERROR, None) == ERROR


@pytest.mark.parametrize(
    ("stored", "taken"),
    [
        ({"S": "s3://bucket/key"}, "s3://bucket/key"),
        ({"S": ""}, ""),
        ({"L": [{"S": "s3://bucket/key"}]}, '["s3://bucket/key"]'),
        ({"BOOL": False}, "false"),
        ({"NULL": True}, None),
    ],
    ids=str,
)
def test_uri(stored: dict[str, Any], taken: str | None) -> None:
    """A result's address of any type is read as text."""
    assert uri(plain({"uri": stored})["uri"]) == taken


def test_long_uri() -> None:
    """An address that is too long for S3 is cut, and so names no object."""
    cut = uri(f"s3://bucket/{'x' * 400_000}") or ""
    assert len(cut) == MAX_URI
    assert address(cut) is None
    assert len("s3://") + 63 + 1 + MAX_KEY_BYTES < MAX_URI


@pytest.mark.parametrize(
    ("stored", "taken"),
    [
        (
            {"M": {"percent": {"N": "7"}, "message": {"S": "rows"}, "at": {"S": AT}}},
            {"percent": 7, "message": "rows", "at": AT},
        ),
        ({"M": {"percent": {"N": "100"}, "eta": {"S": "soon"}}}, {"percent": 100}),
        ({"M": {"percent": {"N": "101"}, "message": {"N": "7"}}}, {"message": "7"}),
        ({"M": {"percent": {"N": "0.5"}, "at": {"S": "noon"}}}, None),
        ({"M": {"percent": {"BOOL": True}, "at": {"S": AT[:-1]}}}, None),
        ({"M": {"percent": {"S": "7"}, "at": {"N": "7"}}}, None),
        ({"M": {}}, None),
        ({"S": "half way \ud83d"}, {"message": "half way ?"}),
        ({"L": []}, {"message": "[]"}),
        ({"NULL": True}, None),
    ],
    ids=str,
)
def test_progress(stored: dict[str, Any], taken: dict[str, Any] | None) -> None:
    """Percent, message and time of a progress are each taken if they are valid."""
    assert progress(plain({"progress": stored})["progress"]) == taken


def test_long_message() -> None:
    """A message beyond its limit is cut, and shows that it was."""
    assert progress({"message": "é" * LONGEST_PROGRESS}) == {"message": "é" * LONGEST_PROGRESS}
    cut = f"{'é' * (LONGEST_PROGRESS - 1)}…"
    assert progress({"message": "é" * (LONGEST_PROGRESS + 1)}) == {"message": cut}


def test_moment() -> None:
    """A moment counts only with its time zone."""
    assert moment(AT) == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    others: list[object] = ["2026-03-02", "now", 7, None, {}]
    assert [moment(other) for other in others] == [None] * 5


@pytest.mark.parametrize(
    ("digits", "is_one"), [(1, True), (6, True), (9, True), (16, False), (300_000, False)]
)
def test_long_moment(digits: int, is_one: bool) -> None:
    """A moment may have nanoseconds; a longer text is no moment, and is not kept."""
    told = f"2026-03-02T09:15:00.{'0' * digits}+00:00"
    assert (moment(told) is not None) is is_one
    assert progress({"at": told}) == ({"at": told} if is_one else None)


def test_reserve_is_a_ticket() -> None:
    """The check of a payload reserves a text that has a ticket's form."""
    assert re.fullmatch(r"0+", TICKET_RESERVE)
    assert ticket(TICKET_RESERVE)
