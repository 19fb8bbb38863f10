from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from core.data import address
from core.flow import Flow
from core.input import MAX_INLINE
from core.reading import InvalidRequestError
from core.retry import Policy
from core.start import LAST_WORD_SECONDS
from core.work import RESERVE_SECONDS
from tests.values import BUCKET, parsed

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
DAY = 86_400
LONG = "x" * MAX_INLINE
# From an attempt's end to the next one's beginning, where attempts take days.
BETWEEN = Policy(2).longest_backoff + LAST_WORD_SECONDS


def refusal(payload: dict[str, Any], **terms: Any) -> InvalidRequestError:
    """Return why a payload is refused."""
    with pytest.raises(InvalidRequestError) as refused:
        parsed(payload, Flow.EVENTBRIDGE, **terms)
    return refused.value


@EACH_FLOW
@pytest.mark.parametrize(
    "value", [0, False, "", [], {}, {"a": [1.5, None]}, "é🚀", "a\0b", "x" * (MAX_INLINE - 6)]
)
def test_short(value: object, flow: Flow) -> None:
    """A short input is JSON text, in ASCII and without spaces, and no object is put."""
    work = parsed({"input": value}, flow)
    text = work.job.input or ""
    assert json.loads(text) == value
    assert text.isascii()
    assert len(json.dumps(text)) <= MAX_INLINE
    assert (work.job.input_uri, work.job.input_sha256, work.body) == (None, None, None)


@EACH_FLOW
@pytest.mark.parametrize("value", ["x" * (MAX_INLINE - 5), '"' * 1_100, "é" * 700_000, [LONG]])
def test_long(value: object, flow: Flow) -> None:
    """A longer input is an object, whose address holds the hash of its bytes; the job has both."""
    work = parsed({"input": value}, flow)
    body = work.body or b""
    assert json.loads(body) == value
    assert work.job.input is None
    assert work.job.input_sha256 == hashlib.sha256(body).hexdigest()
    assert address(work.job.input_uri or "") == (BUCKET, f"inputs/one/{work.job.input_sha256}.json")
    assert len(json.dumps(work.job.to_dict())) < 1_000


def test_none() -> None:
    """Null is no input."""
    assert parsed({"input": None}, Flow.POLLING) == parsed({}, Flow.POLLING)


@EACH_FLOW
def test_own_object(flow: Flow) -> None:
    """A caller's own object is handed over by its address, and not put."""
    work = parsed({"inputUri": "s3://other/a b.csv"}, flow)
    assert (work.job.input_uri, work.job.input_sha256) == ("s3://other/a b.csv", None)
    assert (work.job.input, work.body) == (None, None)


@pytest.mark.parametrize(
    "uri",
    ["", "s3://bucket", "s3://bucket/", "https://bucket/key", "s3://bucket/a\0", 7, ["s3://b/k"]],
)
def test_no_object(uri: object) -> None:
    """An `inputUri` that names no object of S3 is refused."""
    assert refusal({"inputUri": uri}).field == "inputUri"


@pytest.mark.parametrize("value", [0, "", LONG])
def test_two_inputs(value: object) -> None:
    """A container has one input: an address beside a value is refused."""
    error = refusal({"input": value, "inputUri": "s3://bucket/key"})
    assert (error.field, error.value) == ("inputUri", '"s3://bucket/key"')


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_no_json(value: object) -> None:
    """A value that no other language could read is refused."""
    error = refusal({"input": value})
    assert (error.field, error.expected) == ("input", "a JSON value, without NaN and Infinity")


def test_deepest_input() -> None:
    """An input of any depth is refused by its name or taken, and no other error comes."""
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]
    assert refusal({"input": value}).field == "input"


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, [["x\ud800"]]])
def test_no_unicode(value: object) -> None:
    """An input with a lone surrogate is refused."""
    error = refusal({"input": value})
    assert (error.field, error.expected) == ("input", "text without lone surrogates")


@pytest.mark.parametrize(
    ("attempts", "timeout", "days"),
    [
        (1, 31 * DAY - RESERVE_SECONDS, 31),
        (1, 31 * DAY - RESERVE_SECONDS + 1, 32),
        (2, (31 * DAY - RESERVE_SECONDS - BETWEEN) // 2, 31),
        (2, (31 * DAY - RESERVE_SECONDS) // 2, 32),
    ],
)
def test_input_that_would_expire(attempts: int, timeout: int, days: int) -> None:
    """An input that its last attempt may find expired is refused with the number to set."""
    payload = {"input": LONG, "timeoutSeconds": timeout, "maxAttempts": attempts}
    year = {"execution_timeout": 366 * DAY}
    assert parsed(payload, Flow.EVENTBRIDGE, **year, retention_days=days).body
    error = refusal(payload, **year, retention_days=days - 1)
    assert error.field == "input"
    assert f"set DataRetentionDays to {days} at least" in error.expected
    short, own = payload | {"input": 1}, {**payload, "input": None, "inputUri": "s3://bucket/key"}
    assert parsed(short, Flow.EVENTBRIDGE, **year, retention_days=1).job.input
    assert parsed(own, Flow.EVENTBRIDGE, **year, retention_days=1).job.input_uri


@EACH_FLOW
def test_default_retention(flow: Flow) -> None:
    """With the default retention no execution is too long for its input."""
    assert parsed({"input": LONG}, flow, execution_timeout=366 * DAY).body
