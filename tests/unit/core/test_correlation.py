from __future__ import annotations

import re

import pytest

from core.correlation import Correlation, client_token, execution_id

ID = "5f0c4dd2-6e0d-4a47-8f6e-0f3f3a4ffb55"
ARN = (
    "arn:aws:lambda:us-east-1:123456789012:function:demo-eventbridge-function:7"
    f"/durable-execution/nightly/{ID}"
)


@pytest.mark.parametrize(
    ("arn", "key"), [(ARN, ID), (f"{ID}/{ID}", ID), (f"{ARN}_x-1", f"{ID}_x-1"), (ID, ID)]
)
def test_execution_id(arn: str, key: str) -> None:
    """An execution's id is the last segment of its ARN, whatever comes before it."""
    assert execution_id(arn) == key


@pytest.mark.parametrize("arn", ["", f"{ARN}/", "a/b:c", "a/b c", "a/b\n", "a/é", "a/b.c"])
def test_unusable_execution_arn(arn: str) -> None:
    """An ARN whose last segment `startedBy` cannot carry is refused, and shown."""
    with pytest.raises(ValueError, match=re.escape(repr(arn))):
        execution_id(arn)


def test_started_by() -> None:
    """The key travels as stack, execution and attempt, and is read back as what it was."""
    correlation = Correlation("demo", ID, 2)
    assert correlation.started_by == f"demo/{ID}/2"
    assert Correlation.parse(correlation.started_by) == correlation


def test_longest_started_by() -> None:
    """`startedBy` may have the 128 characters that ECS takes, and not one more."""
    longest = Correlation("s" * (128 - len(f"/{ID}/1")), ID, 1)
    assert len(longest.started_by) == 128
    with pytest.raises(ValueError, match="128 characters"):
        _ = Correlation(longest.stack + "s", ID, 1).started_by


@pytest.mark.parametrize(
    "started_by",
    [
        None,
        "",
        "somebody",
        "ecs-svc/0068978569384120015",
        f"demo/{ID}",
        f"demo/{ID}/0",
        f"demo/{ID}/-1",
        f"demo/{ID}/01",
        f"demo/{ID}/one",
        f"demo/{ID}/\u0661",
        f"demo/{ID}/1/2",
        f"demo/{ID}/1\n",
        f"demo//{ID}/1",
        f"/{ID}/1",
        f"2demo/{ID}/1",
        "demo//1",
    ],
)
def test_started_by_somebody_else(started_by: str | None) -> None:
    """A `startedBy` that is not of our form belongs to somebody else; it is no error."""
    assert Correlation.parse(started_by) is None


def test_client_token_fits() -> None:
    """A token is within the 64 visible ASCII characters that ECS takes."""
    assert re.fullmatch(r"[!-~]{1,64}", client_token(ARN, 1, 1))


def test_client_token_outlives_a_deployment() -> None:
    """The same launch has the same token for ever: a new release starts no second task."""
    token = "eb590cb45063aa8050d2bbe7e55b34afa7abb34e923cac421eb388bad6e47f24"  # noqa: S105 - no secret
    assert client_token("arn", 1, 1) == token


def test_client_tokens_differ() -> None:
    """Another execution, attempt or launch has another token; digits do not run together."""
    launches = [("arn", 1, 1), ("arm", 1, 1), ("arn", 1, 2), ("arn", 2, 1), ("arn", 1, 11)]
    launches += [("arn", 11, 1), ("arn1", 1, 1)]
    assert len({client_token(*launch) for launch in launches}) == len(launches)
