from __future__ import annotations

import os

import pytest

from scripts.redrive import main

HOW_TO_NAME = "make redrive STACK=name"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the process without a Region, credentials and configuration."""
    for name in (name for name in os.environ if name.startswith("AWS_")):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    monkeypatch.setattr("sys.argv", ["redrive.py", "other"])


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
