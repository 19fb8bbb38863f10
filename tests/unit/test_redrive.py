from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scripts.redrive.__main__ import main
from scripts.redrive.deployed import Deployed, ForeignTargetError
from scripts.redrive.messages import asked_at

HOW_TO_NAME = "make redrive STACK=name"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:app-task-state-function"
APP = Deployed("app", {}, {FUNCTION: f"{FUNCTION}:live"}, {FUNCTION: {}})


@pytest.fixture(autouse=True)
def _nobody(nobody: pytest.MonkeyPatch) -> None:
    """Redrive another stack as nobody in particular."""
    nobody.setattr("sys.argv", ["redrive.py", "other"])


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "You must specify a region"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "Unable to locate credentials"),
        ({"AWS_PROFILE": "nobody"}, "profile (nobody)"),
        ({"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "here"}, "Invalid endpoint"),
    ],
)
def test_nobody_in_particular(
    variables: dict[str, str],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a Region or credentials nothing is delivered, and what is missing is named."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main() == 1
    told = capsys.readouterr().err
    assert told.startswith("Stack other cannot be read: ")
    assert why in told
    assert HOW_TO_NAME in told


def test_clock_of_aws() -> None:
    """A queue is read up to the second in which AWS first answered, whatever clock is here."""
    headers = {"date": "Sun, 29 Nov 2026 09:00:00 GMT"}
    until = asked_at({"ResponseMetadata": {"HTTPHeaders": headers}})
    assert until == datetime(2026, 11, 29, 9, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("qualifier", ["", ":live", ":1", ":$LATEST", ":yesterday"])
def test_today_s_version(qualifier: str) -> None:
    """An event is for the alias `live`, whatever version of its function it was kept for."""
    assert APP.live(f"{FUNCTION}{qualifier}") == f"{FUNCTION}:live"


@pytest.mark.parametrize("name", ["app-sync-function", "app-added-function"])
def test_event_that_would_begin_an_execution(name: str) -> None:
    """No event is for a durable function of whatever name: who makes one up starts no work."""
    function = FUNCTION.replace("app-task-state-function", name)
    durable = {"DurableConfig": {"ExecutionTimeout": 3600}}
    stack = replace(
        APP, functions={function: f"{function}:live"}, configurations={function: durable}
    )
    with pytest.raises(ForeignTargetError, match="begins executions"):
        stack.live(f"{function}:1")


@pytest.mark.parametrize(
    "target",
    [
        FUNCTION.replace(":app-", ":app-x-"),
        FUNCTION.replace("123456789012", "210987654321"),
        FUNCTION.replace("us-east-1", "eu-west-1"),
        f"{FUNCTION}-2:live",
        "arn:aws:sqs:us-east-1:123456789012:app-undelivered-events",
        "app-task-state-function",
        "",
    ],
)
def test_somebody_else_s_function(target: str) -> None:
    """A function of another stack, account or Region is none of this stack's, and is named."""
    with pytest.raises(ForeignTargetError, match=f"{target} is no function of the stack app"):
        APP.live(target)
