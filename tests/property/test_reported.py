from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.updates import error_of, plain, serialized
from core.flow import Flow
from core.outcome import ApplicationFailed
from core.record import Record, Status
from core.reported import COLUMNS
from tests.property.test_records import new_record

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from([*Status])
NUMBERS = st.integers(-(10**37), 10**37).map(str) | st.sampled_from(["9.9E+125", "-1E-130", "0.5"])
SCALARS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"S": TEXTS}),
    st.fixed_dictionaries({"N": NUMBERS}),
    st.fixed_dictionaries({"B": st.binary(max_size=5)}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
    st.fixed_dictionaries({"SS": st.lists(TEXTS, min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"NS": st.lists(NUMBERS, min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"BS": st.lists(st.binary(max_size=3), min_size=1, max_size=3)}),
)
NAMES = TEXTS | st.sampled_from(["kind", "summary", "detail", "advice", "exitCode", "taskArn"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(NAMES, inner, max_size=4)}),
    ),
    max_leaves=8,
)
WRITTEN = st.dictionaries(st.sampled_from(COLUMNS), VALUES)
# Fields of the error that no worker may say.
OWN = {"kind", "taskArn", "attempt"}


@given(WRITTEN, st.sampled_from(Flow), st.booleans())
def test_whatever_workers_write(written: dict[str, Any], flow: Flow, is_open: bool) -> None:
    """A record is read whatever workers have put into their columns, and all else is as it was."""
    record = replace(new_record(1), flow=flow, is_open=is_open, callback_id="callback")
    read = Record.from_item({**plain(serialized(record.to_item())), **plain(written)})
    names = ("ticket", "status", "result", "error", "result_uri", "stray_uri", "progress")
    reported = {name: getattr(record, name) for name in names}
    assert replace(read, **reported) == record
    assert read.result is None or isinstance(read.result, str)
    # No place that is made up is an attempt's own.
    assert read.result_uri is None
    assert Record.from_item(read.to_item()) == replace(read, stray_uri=None)
    assert flow is Flow.DYNAMODB or not is_open or read.error is None


@given(VALUES)
def test_errors_of_workers(written: dict[str, Any]) -> None:
    """An error's kind, task and attempt are the stack's own; it has some of the worker's words."""
    record = replace(new_record(3), flow=Flow.DYNAMODB)
    read = Record.from_item({**record.to_item(), **plain({"error": written})})
    outcome = ApplicationFailed(task_arn="arn:task/one", exit_code=3)
    error, own = error_of(read, outcome, None), error_of(record, outcome, None)
    assert {name: error[name] for name in (*OWN, "exitCode")} == {
        name: own[name] for name in (*OWN, "exitCode")
    }
    assert error.keys() == own.keys()
    assert len(json.dumps(error, ensure_ascii=False)) < 10_000
