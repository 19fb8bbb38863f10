from __future__ import annotations

import pytest

from core.evidence import Evidence, console_link, log_stream, shortened

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/demo-cluster/0f9de17a6465404e8b1b2356dc13c2f8"


def test_places() -> None:
    """A task's log stream and its place in the console follow from its ARN."""
    assert log_stream("worker", "main", TASK) == "worker/main/0f9de17a6465404e8b1b2356dc13c2f8"
    assert console_link(TASK) == (
        "https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/demo-cluster"
        "/tasks/0f9de17a6465404e8b1b2356dc13c2f8/configuration?region=eu-west-1"
    )


def test_last_lines() -> None:
    """Twenty lines are kept, the last ones, in their order."""
    assert shortened([str(number) for number in range(30)]) == tuple(
        str(number) for number in range(10, 30)
    )
    assert shortened([]) == ()


@pytest.mark.parametrize("text", ["x" * 5_000, "ü" * 5_000, "\U0001f600" * 5_000])
def test_long_lines(text: str) -> None:
    """Long lines are cut, and all together stay within 8,000 bytes, the last one among them."""
    kept = shortened([text] * 20)
    assert 1 <= len(kept) <= 20
    assert sum(len(line.encode()) for line in kept) <= 8_000
    assert all(line.endswith("…") and len(line) == 1_001 for line in kept)


def test_json_form() -> None:
    """The evidence's JSON form has the names that records and errors use."""
    evidence = Evidence("/ecs/demo", "worker/main/1", "https://", ("a", "b"))
    assert evidence.to_dict() == {
        "logGroup": "/ecs/demo",
        "logStream": "worker/main/1",
        "consoleLink": "https://",
        "logTail": ["a", "b"],
    }


def test_no_tail() -> None:
    """Evidence without a log's last lines has no word of them."""
    evidence = Evidence("/ecs/demo", "worker/main/1", "https://", None)
    assert evidence.to_dict().keys() == {"logGroup", "logStream", "consoleLink"}
