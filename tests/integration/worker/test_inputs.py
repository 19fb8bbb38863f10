from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.worker.container import (
    lines,
    read,
)

if TYPE_CHECKING:
    from tests.integration.worker.container import Worker

ECHO = """\
import sys
from worker.process import run
run(lambda assignment: assignment.input)
"""


@pytest.mark.parametrize("value", [None, {"day": "2026-01-05", "Größe": [1, "🚀"]}], ids=str)
def test_input(table: Any, bucket: Any, worker: Worker, value: object) -> None:
    """The work gets its input parsed, whether a variable holds it or an object."""
    bucket.put_object(Key="inputs/one/0123.json", Body=json.dumps(value).encode())
    for variable in ({"INPUT": json.dumps(value)}, {"INPUT_URI": "s3://data/inputs/one/0123.json"}):
        table.put_item(Item={k: v for k, v in read(table).items() if k != "result"})
        process = worker(ECHO, EXECUTION_FLOW="eventbridge", **variable)
        lines(process)
        assert (process.returncode, json.loads(read(table)["result"])) == (0, value)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"INPUT": "{"}, "JSONDecodeError"),
        ({"INPUT_URI": "s3://data/inputs/none.json"}, "NoSuchKey"),
        ({"INPUT_URI": "s3://no-such-bucket/x"}, "NoSuchBucket"),
    ],
    ids=["no JSON", "no object", "no bucket"],
)
@pytest.mark.usefixtures("bucket")
def test_input_that_is_not_there(
    table: Any, worker: Worker, variable: dict[str, str], said: str
) -> None:
    """An input that cannot be read is a failure of the work's, and says why."""
    process = worker(ECHO, **variable)
    lines(process)
    item = read(table)
    assert (process.returncode, item["status"]) == (1, "FAILED")
    assert said in item["error"]["summary"]
