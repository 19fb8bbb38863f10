"""Payloads as Hypothesis draws them: most are accepted, or have one field that is wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.flow import Flow
from core.job import Capacity
from core.payload import Payload, fields
from core.reading import names
from core.size import SIZES

# JSON's text may hold lone surrogates, which no UTF-8 can.
TEXT = st.text(st.characters())
NAMES = st.sampled_from([*names(Payload), "exitCode", "ApplicationFailed", "OutOfMemory"])
NUMBERS = st.integers() | st.integers(-1, 3_001) | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES | TEXT, inner),
    max_leaves=8,
)
# JSON writes some of these with more than one character, and one with a pair of them.
_WORDS = st.text('aZ0_- é🚀"\\\n', max_size=12)
_LONG = st.integers(4_080, 4_100).map("x".__mul__)
_TAG = st.text("aZ0 _.:/=+-@é", min_size=1, max_size=12)
_MIB = st.sampled_from(sorted({size.memory for size in SIZES}))
_SECONDS = st.none() | st.integers(300, 900)

RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "message": _WORDS | _LONG,
    "processingTime": st.integers(0, 400),
    "simulate": st.none() | st.fixed_dictionaries({"exitCode": st.integers(0, 221)}),
    "taskDefinition": st.sampled_from(["demo-worker", "demo-etl:7"]),
    "containerName": st.sampled_from(["worker", "a_B-1", "x" * 255]),
    "command": st.lists(_WORDS, max_size=2).map(lambda words: ["run", *words]),
    "environment": st.dictionaries(_WORDS.map("A".__add__), _WORDS, max_size=3),
    "memory": _MIB | st.lists(_MIB, min_size=1, max_size=3),
    "ephemeralStorageGiB": st.none() | st.integers(21, 200),
    "capacity": st.sampled_from(Capacity),
    "tags": st.dictionaries(_TAG, _TAG | st.just(""), max_size=3),
    "input": st.none() | st.integers() | st.lists(_WORDS | _LONG, max_size=2),
    "timeoutSeconds": _SECONDS,
    "startTimeoutSeconds": st.none() | st.integers(1, 400),
    "heartbeatSeconds": _SECONDS,
    "maxAttempts": st.integers(3, 10),
    "retryOn": st.lists(
        st.sampled_from(["ApplicationFailed", "OutOfMemory"]) | st.integers(1, 221)
    ),
    "pollSeconds": st.none() | st.integers(1, 3_000),
}
# What lies just beyond each bound, and what does not go with other fields.
NEARLY: dict[str, st.SearchStrategy[Any]] = {
    "message": st.sampled_from(["\0", "\ud800"]),
    "processingTime": st.sampled_from([-1, 901]),
    "simulate": st.sampled_from([{}, {"exitCode": -1}, {"exitCode": 222}, {"exitCode": 256}]),
    "taskDefinition": st.sampled_from(["", "demo", "demo-a:0", "other-worker"]),
    "containerName": st.sampled_from(["", "a b", "x" * 256]),
    "command": st.sampled_from([[], [""], ["a\0"]]),
    "environment": st.sampled_from([{"INPUT": ""}, {"AWS_A": ""}, {"MESSAGE": ""}, {"=": ""}]),
    "cpu": st.sampled_from([255, 256, 512, 1_024, 16_384]),
    "memory": st.integers(0, 123_000) | st.lists(_MIB, max_size=11),
    "ephemeralStorageGiB": st.sampled_from([20, 201]),
    "capacity": st.sampled_from(["", "FARGATE"]),
    "tags": st.dictionaries(TEXT, TEXT, min_size=1, max_size=1),
    "inputUri": st.just("s3://bucket/key") | TEXT.map("s3://bucket/".__add__),
    "timeoutSeconds": st.integers(0, 300),
    "startTimeoutSeconds": st.sampled_from([0, 901]),
    "heartbeatSeconds": st.sampled_from([299, 901]),
    "maxAttempts": st.sampled_from([0, 1, 2, 11]),
    "retryOn": st.sampled_from([["Spot"], [222], [0], [256]]),
    "pollSeconds": st.sampled_from([0, 3_001]),
}
PAYLOADS = st.fixed_dictionaries({}, optional=RIGHT)
_TIMES = ("timeoutSeconds", "startTimeoutSeconds", "pollSeconds", "retryOn")
TIMES = st.fixed_dictionaries(
    {"maxAttempts": st.integers(1, 10)}, optional={name: RIGHT[name] for name in _TIMES}
)
FLOWS = st.sampled_from(Flow)
_WRONG = st.one_of(
    *(st.fixed_dictionaries({name: value}) for name, value in NEARLY.items()),
    st.dictionaries(NAMES, JSON, min_size=1, max_size=1),
)
SPOILT = st.builds(dict[str, Any].__or__, PAYLOADS, _WRONG)


def taken(payload: dict[str, Any], flow: Flow) -> dict[str, Any]:
    """Return the fields of a payload that a flow takes."""
    return {name: value for name, value in payload.items() if name in fields(flow)}
