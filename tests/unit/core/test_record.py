from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.updates import plain, serialized
from core.capacity import LaunchCapacity
from core.flow import Flow
from core.job import _FIELDS, Capacity, OtherVersionsJobError
from core.outcome import ApplicationFailed
from core.record import (
    ENDED,
    TRANSITIONS,
    Record,
    Standing,
    Status,
    UnreadableRecordError,
    barriers,
)
from tests.values import job, launch, place, record

NEW = record()
CLOSED = replace(
    NEW,
    status=Status.FAILED,
    is_open=False,
    capacity=LaunchCapacity.SPOT,
    start_timeout_seconds=1_800,
    task_arn="arn:task",
    trace_header="Root=1-5759e988-bd862e3fe1be46a994272793",
    result='{"answer":42}',
    last_outcome=ApplicationFailed(task_arn="arn:task", exit_code=3).to_dict(),
    error={"kind": "ApplicationFailed", "exitCode": 3},
    attempts=({"attempt": 1, "kind": "ApplicationFailed", "exitCode": 3},),
    expires_at=1_800_000_000,
)


def test_stored_names() -> None:
    """Statuses and flows are stored, and told to users, under names that do not change."""
    assert [*Status] == ["PENDING", "RUNNING", "BACKOFF", "COMPLETED", "FAILED"]
    assert [*Flow] == ["polling", "dynamodb", "eventbridge"]


def test_item() -> None:
    """A new record has its documented attributes and no others: what is absent is not written."""
    assert NEW.to_item() == {
        "executionId": "one",
        "executionArn": NEW.execution_arn,
        "flow": "eventbridge",
        "status": "PENDING",
        "open": "OPEN",
        "attempt": 1,
        "launch": 1,
        "job": {
            "family": "demo-worker",
            "container": "worker",
            "environment": {"MESSAGE": "hi", "PROCESSING_TIME": "0"},
        },
        "begunAt": "2026-03-02T09:00:00.000Z",
        "deadline": "2026-03-02T10:00:00.000Z",
        "createdAt": "2026-03-02T09:00:00.000Z",
        "updatedAt": "2026-03-02T09:00:00.000Z",
        "callbackId": "callback-one",
    }


def test_closed_item() -> None:
    """A closed record is not in the index of open ones, and expires."""
    item = CLOSED.to_item()
    assert "open" not in item
    assert (item["expiresAt"], item["taskArn"], item["callbackId"]) == (
        1_800_000_000,
        "arn:task",
        "callback-one",
    )
    assert (item["capacity"], item["startTimeoutSeconds"]) == ("SPOT", 1_800)
    assert (item["traceHeader"], item["result"]) == (CLOSED.trace_header, CLOSED.result)
    assert (item["lastOutcome"], item["error"]) == (CLOSED.last_outcome, CLOSED.error)


@pytest.mark.parametrize("stored", [NEW, CLOSED], ids=["new", "closed"])
def test_round_trip(stored: Record) -> None:
    """A record is read back as it was written."""
    assert Record.from_item(stored.to_item()) == stored


def test_job_in_the_table() -> None:
    """A job's every field comes back from DynamoDB, the input as the text that it is."""
    asked = job(
        revision=7,
        command=("a", ""),
        environment={"EMPTY": "", "É": "🚀"},
        memory=(2_048, 4_096),
        cpu=512,
        ephemeral_storage=30,
        capacity=Capacity.SPOT,
        tags={"team": "data", "empty": ""},
        input='{"share":0.1,"none":[null,{}],"half":"\\ud800"}',
        input_uri="s3://bucket/inputs/one/0123.json",
        input_sha256="0123",
    )
    assert set(asked.to_dict()) == {*_FIELDS.values()}
    item = replace(NEW, job=asked).to_item()
    assert Record.from_item(plain(serialized(item))).job == asked


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ([{"attempt": Decimal(1), "kind": "Succeeded"}], ({"attempt": 1, "kind": "Succeeded"},)),
        ([{"kind": "Invented", "since": ["later"]}], ({"kind": "Invented", "since": ["later"]},)),
        ([{}, "one", None, Decimal(2), ["x"], {"attempt": "two"}], ({}, {"attempt": "two"})),
        ([], ()),
        (None, ()),
        ("gone", ()),
        ({"attempt": 1}, ()),
        (Decimal(3), ()),
        ({"one"}, ()),
    ],
)
def test_attempts_of_another_version(stored: object, read: object) -> None:
    """A record is read with entries of attempts in any form; an unknown form counts as none."""
    assert Record.from_item({**CLOSED.to_item(), "attempts": stored}).attempts == read


BUCKET, TICKET = "data-bucket", "0123456789abcdef" * 2
OWN = f"s3://{BUCKET}/results/one/1-{TICKET}/"


def told(uri: object, **changes: Any) -> Record:
    """Return the record of a worker that has named a place."""
    item = replace(NEW, **{"ticket": TICKET, **changes}).to_item()
    return Record.from_item({**item, "resultUri": uri}, BUCKET)


@pytest.mark.parametrize("uri", [OWN, f"{OWN}result.json", f"{OWN}a/b/é ?.parquet"])
def test_place_of_its_own(uri: str) -> None:
    """A result may be at the prefix that its container got, or anywhere below it."""
    read = told(uri)
    assert (read.result_uri, read.stray_uri, read.is_handed_over) == (uri, None, True)


@pytest.mark.parametrize(
    "uri",
    [
        *("", OWN[:-1], OWN[3:], OWN.upper(), f" {OWN}", f"x{OWN}", f"{OWN}{'x' * 1_000}"),
        OWN.replace(BUCKET, "other-bucket"),
        OWN.replace("/one/", "/two/"),
        OWN.replace("/1-", "/2-"),
        OWN.replace(TICKET, TICKET[::-1]),
        OWN.replace("results", "inputs"),
        OWN.replace("s3://", "https://"),
        *([OWN], {"at": OWN}, 7, True, b"x"),
    ],
    ids=str,
)
def test_place_that_is_not_its_own(uri: object) -> None:
    """A result of another attempt, execution, bucket or form is none of the attempt's own."""
    read = told(uri)
    assert read.result_uri is None
    assert read.stray_uri is not None
    assert read.is_handed_over


def test_no_place() -> None:
    """A worker that names no address has handed nothing over, and polling reads none."""
    assert told(None) == replace(NEW, ticket=TICKET)
    assert not told(None).is_handed_over
    asked = told(OWN, flow=Flow.POLLING)
    assert (asked.result_uri, asked.stray_uri) == (None, None)


def test_place_between_two_attempts() -> None:
    """An attempt without a ticket has no prefix of its own."""
    assert told(OWN.replace("/1-", "/2-"), attempt=2, launch=0, ticket=None).result_uri is None


def test_place_in_a_closed_record() -> None:
    """A closed record, which has no ticket, keeps the address of its last attempt's result."""
    closed = {"status": Status.COMPLETED, "is_open": False, "ticket": None}
    assert told(OWN, **closed).result_uri == OWN
    assert told(OWN.replace("/1-", "/2-"), **closed).result_uri is None


def test_progress() -> None:
    """A worker's progress is read, and another flow's is not."""
    item = {**NEW.to_item(), "progress": {"percent": Decimal(7), "message": "rows"}}
    assert Record.from_item(item).progress == {"percent": 7, "message": "rows"}
    assert Record.from_item({**item, "progress": [1]}).progress == {"message": "[1]"}
    assert Record.from_item({**item, "flow": "polling"}).progress is None


def test_numbers_of_dynamodb() -> None:
    """DynamoDB's numbers become plain integers, and its text the statuses and flows."""
    stored = {
        name: Decimal(value) if isinstance(value, int) else value
        for name, value in CLOSED.to_item().items()
    }
    record = Record.from_item(stored)
    assert record == CLOSED
    numbers = (record.attempt, record.launch, record.expires_at)
    assert {type(number) for number in numbers} == {int}
    assert (record.flow, record.status) == (Flow.EVENTBRIDGE, Status.FAILED)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (
            {"M": {"answer": {"N": "42"}, "share": {"N": "0.5"}}},
            '{"answer": 42, "share": 0.5}',
        ),
        ({"L": [{"N": "1"}, {"S": "two"}, {"NULL": True}, {"B": b"x"}]}, '[1, "two", null, "x"]'),
        ({"SS": ["b", "a"]}, '["a", "b"]'),
        ({"NS": ["2", "1"]}, "[1, 2]"),
        ({"BS": [b"b", b"a"]}, '["a", "b"]'),
        ({"N": "7"}, "7"),
        ({"BOOL": False}, "false"),
        ({"B": b"caf\xff"}, '"caf\\ufffd"'),
        ({"S": '{"answer": 42}'}, '{"answer": 42}'),
    ],
    ids=["map", "list", "texts", "numbers", "binaries", "number", "boolean", "binary", "text"],
)
def test_result_of_any_type(stored: dict[str, Any], text: str) -> None:
    """A result that a container has stored as something else than text is read as JSON text."""
    item = {**NEW.to_item(), **plain({"result": stored})}
    assert Record.from_item(item).result == text


@pytest.mark.parametrize(
    ("stored", "summary"),
    [({"S": "disk full"}, "disk full"), ({"B": b"x"}, '"x"'), ({"L": [{"N": "7"}]}, "[7]")],
    ids=["text", "binary", "list"],
)
def test_error_in_words(stored: dict[str, Any], summary: str) -> None:
    """An error that a container has stored as no map is read as its summary."""
    item = {**CLOSED.to_item(), **plain({"error": stored})}
    assert Record.from_item(item).error == {"summary": summary}


JOB = job().to_dict()
SPOILT: list[tuple[str, Any]] = [
    *(("executionArn", value) for value in (7, None, ["arn"])),
    *(("flow", value) for value in ("batch", None, 7)),
    *(("attempt", value) for value in ("abc", None, Decimal("1.5"), {"1"})),
    *(("launch", value) for value in ("one", None)),
    *(
        (name, value)
        for name in ("begunAt", "deadline", "createdAt")
        for value in ("soon", 17, None)
    ),
    *(("updatedAt", value) for value in ("2026-03-02 09:00:00", "", 17, None)),
    *(("missingSince", value) for value in ("soon", 17)),
    *(("lastOutcome", value) for value in ({"kind": ""}, {"kind": 7}, "gone", ["x"])),
    *(
        ("job", None),
        ("job", 7),
        ("job", "worker"),
        ("job", []),
        ("job", {"family": "demo-worker"}),
    ),
    *(("job", JOB | {name: value}) for name in ("family", "container") for value in (7, "", None)),
    *(
        ("taskArn", 7),
        *(("callbackId", value) for value in (7, "", None)),
        ("expiresAt", "never"),
    ),
]


def shortened(part: object) -> str:
    """Return a part of a test's name."""
    return str(part)[:50]


@pytest.mark.parametrize(("name", "value"), SPOILT, ids=shortened)
def test_spoilt(name: str, value: object) -> None:
    """A record that somebody has spoilt is named with its execution, and no other error comes."""
    item = {**NEW.to_item(), name: value}
    with pytest.raises(UnreadableRecordError, match="'one' cannot be read") as raised:
        Record.from_item({key: value for key, value in item.items() if value is not None})
    known = None if name == "executionArn" else NEW.execution_arn
    assert (raised.value.execution_arn, raised.value.is_open) == (known, True)
    assert raised.value.execution_id == "one"


@pytest.mark.parametrize(
    "written",
    [
        *({name: 7} for name in ("command", "environment", "capacity", "tags", "input")),
        *({name: 7} for name in ("inputUri", "inputSha256")),
        *({name: value} for name in ("revision", "cpu") for value in ("512", 0, True, [1_024])),
        *({"memory": value} for value in (512, [0], ["512"], [True], {"1": 512})),
        {"ephemeralStorageGiB": "30"},
        {"command": ["a", 1]},
        {"environment": {"A": 1}},
        {"capacity": "SPOT_AND_A_HALF"},
        {"gpu": 1},
    ],
    ids=shortened,
)
def test_job_of_another_version(written: dict[str, Any]) -> None:
    """A job that only another version knows whole is followed by its names, and never launched."""
    stored = Record.from_item({**NEW.to_item(), "job": JOB | written}).job
    assert (stored.family, stored.container) == (JOB["family"], JOB["container"])
    with pytest.raises(OtherVersionsJobError, match="another version"):
        launch(job=stored).request(place())


def test_made_up() -> None:
    """An item that a worker has made up names no execution, is not open and cannot be read."""
    with pytest.raises(UnreadableRecordError) as raised:
        Record.from_item({"executionId": "x", "status": "RUNNING", "result": "1"})
    assert (raised.value.execution_arn, raised.value.is_open) == (None, False)


def test_polling_takes_no_result() -> None:
    """A result in a polling record does not count: the flow takes none."""
    assert (
        Record.from_item({**replace(NEW, flow=Flow.POLLING).to_item(), "result": "1"}).result
        is None
    )


@pytest.mark.parametrize(
    ("flow", "said"),
    [(Flow.POLLING, None), (Flow.DYNAMODB, {"summary": "x"}), (Flow.EVENTBRIDGE, None)],
)
def test_error_of_an_open_record(flow: Flow, said: object) -> None:
    """An open record's error has its worker's words, in the flow whose worker reports its end."""
    written = {"kind": "Succeeded", "summary": "x", "taskArn": "arn:other"}
    assert Record.from_item({**replace(NEW, flow=flow).to_item(), "error": written}).error == said


def test_later_attributes() -> None:
    """An attribute that a later release writes does not disturb this one."""
    assert Record.from_item({**NEW.to_item(), "parentArn": "arn"}) == NEW


@pytest.mark.parametrize(
    ("record", "attempt", "task_arn", "standing"),
    [
        (NEW, 1, "arn:task", Standing.CURRENT),
        (replace(NEW, task_arn="arn:task"), 1, "arn:task", Standing.CURRENT),
        (replace(NEW, task_arn="arn:task"), 1, "arn:other", Standing.OTHER_TASK),
        (replace(NEW, attempt=2), 1, "arn:task", Standing.STALE_ATTEMPT),
        (NEW, 2, "arn:task", Standing.STALE_ATTEMPT),
        (CLOSED, 1, "arn:task", Standing.CLOSED),
        (CLOSED, 1, "arn:other", Standing.OTHER_TASK),
        (CLOSED, 2, "arn:task", Standing.STALE_ATTEMPT),
        (replace(NEW, status=Status.COMPLETED), 1, "arn:task", Standing.CURRENT),
    ],
)
def test_standing(record: Record, attempt: int, task_arn: str, standing: Standing) -> None:
    """News counts for its own attempt and task, while the record is open, whatever its status."""
    assert record.standing(attempt, task_arn) is standing


def test_ended_is_the_end() -> None:
    """No transition leaves COMPLETED or FAILED; every other status has one."""
    assert {status for status in Status if not TRANSITIONS[status]} == ENDED
    assert set(TRANSITIONS) == set(Status)


def test_every_status_can_end() -> None:
    """FAILED can follow every status before the end, and the first one leads to all others."""
    assert all(Status.FAILED in TRANSITIONS[status] for status in set(Status) - ENDED)
    reached = {Status.PENDING}
    for _ in Status:
        reached |= {target for status in reached for target in TRANSITIONS[status]}
    assert reached == set(Status)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Status.PENDING, {Status.RUNNING, Status.COMPLETED, Status.FAILED}),
        (Status.RUNNING, {Status.BACKOFF, Status.COMPLETED, Status.FAILED}),
        (Status.BACKOFF, {Status.COMPLETED, Status.FAILED}),
        (Status.COMPLETED, {Status.FAILED}),
        (Status.FAILED, {Status.COMPLETED}),
    ],
)
def test_barriers(target: Status, expected: set[Status]) -> None:
    """A status bars a write only in the DynamoDB flow, whose worker reports its end by it."""
    assert set(barriers(Flow.DYNAMODB, target)) == expected
    for flow in (Flow.POLLING, Flow.EVENTBRIDGE):
        assert barriers(flow, target) == []


@pytest.mark.parametrize("written", ["DONE", "completed", "", 7, {"is": "done"}, None])
@pytest.mark.parametrize("flow", Flow)
def test_status_that_is_none(written: object, flow: Flow) -> None:
    """A status that a container has made up is taken for that of work that runs."""
    item = {**replace(NEW, flow=flow).to_item(), "status": written}
    assert Record.from_item(item).status is Status.RUNNING


@pytest.mark.parametrize("written", sorted(ENDED))
def test_end_that_is_claimed(written: Status) -> None:
    """An end in an open record's status counts only in the flow whose worker reports its end."""
    claimed = {flow: replace(NEW, flow=flow, status=written).to_item() for flow in Flow}
    read = {flow: Record.from_item(item).status for flow, item in claimed.items()}
    assert read == {flow: written if flow.worker_reports_end else Status.RUNNING for flow in Flow}


def test_same_end_that_two_have_learned() -> None:
    """A record holds an end whoever learned it, and holds no other one."""
    end = ApplicationFailed(task_arn="arn:task", exit_code=3, detail="why")
    told = replace(NEW, last_outcome={**end.to_dict(), "learnedBy": "event", "learnedAt": "then"})
    assert told.says(replace(end, learned_by="reconciler", learned_at="later"))
    assert not told.says(replace(end, detail="another reason"))
    assert not told.says(replace(end, task_arn="arn:another"))
    assert not NEW.says(end)
