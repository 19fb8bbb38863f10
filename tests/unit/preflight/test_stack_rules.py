from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from scripts.preflight import stack_rules
from scripts.preflight.account import Reader
from scripts.preflight.findings import Mark
from tests.markdown import Page
from tests.template import ROOT
from tests.unit.preflight.facts import REFUSED, account, deployed

if TYPE_CHECKING:
    from scripts.preflight.facts import Plan

FINE, IN_THE_WAY, NOT_CHECKED = Mark.FINE, Mark.IN_THE_WAY, Mark.NOT_CHECKED
ORIGINAL = frozenset(
    {
        "SyncLambdaFunctionArn",
        "CallbackLambdaFunctionArn",
        "CallbackTableName",
        "ECSClusterName",
        "LogGroupName",
    }
)
# Outputs and resources of a stack of ours that was deployed long ago.
FIRST = ORIGINAL | {"FailedExecutionsQueueUrl"}
TABLE, CLUSTER = ("AWS::DynamoDB::Table", "demo-callbacks"), ("AWS::ECS::Cluster", "demo-cluster")
KEPT, OTHER, NONE = frozenset({TABLE, CLUSTER}), ("AWS::SQS::Queue", "q"), frozenset[Any]()
STARTS = {
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}


def states() -> list[str]:
    """Every state of a stack that AWS's model knows."""
    model = botocore.session.get_session().get_service_model("cloudformation")
    return list(model.shape_for("StackStatus").enum)


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("demo", FINE),
        ("Demo-2", FINE),
        ("d" * 43, FINE),
        ("d" * 44, IN_THE_WAY),
        ("2-demo", IN_THE_WAY),
        ("my_demo", IN_THE_WAY),
        ("demo;rm", IN_THE_WAY),
    ],
)
def test_stack_name(name: str, mark: Mark, planned: Plan) -> None:
    """A name that CloudFormation or a function's name has no room for is in the way."""
    named = [replace(n, name=n.name.replace("demo", name)) for n in planned.named]
    assert stack_rules.stack_name(replace(planned, stack=name, named=tuple(named))).mark is mark


def test_longest_name_is_told(planned: Plan) -> None:
    """The template's description tells the length that its names leave."""
    assert f"{stack_rules.longest_name(planned)} characters" in planned.description


@pytest.mark.parametrize("status", states())
def test_states(status: str, planned: Plan) -> None:
    """Each state of AWS's model is one that a deployment starts from, or has a way out."""
    finding = stack_rules.stack(planned, deployed(planned, status=status))
    assert finding.mark is (FINE if status in STARTS else IN_THE_WAY)
    assert bool(finding.commands) is (status not in STARTS)
    assert all("demo" in command and "{" not in command for command in finding.commands)


@pytest.mark.parametrize("status", states())
def test_stuck_stack_of_somebody_else(status: str, planned: Plan) -> None:
    """No command changes a stack that is not known to be this project's."""
    theirs = deployed(planned, status=status, description="", outputs=frozenset({"Url"}))
    finding = stack_rules.stack(planned, theirs)
    assert bool(finding.commands) is (status != "REVIEW_IN_PROGRESS")
    harmless = ("aws cloudformation wait", "aws cloudformation describe-", "make preflight")
    assert all(command.startswith(harmless) for command in finding.commands)


def test_state_of_tomorrow(planned: Plan) -> None:
    """A state that nobody knows yet is in the way, and the stack's events are shown."""
    finding = stack_rules.stack(planned, deployed(planned, status="ASLEEP"))
    assert finding.mark is IN_THE_WAY
    assert "describe-stack-events" in finding.commands[0]


def test_no_stack(planned: Plan) -> None:
    """A stack will be made if none has the name."""
    finding = stack_rules.stack(planned, None)
    assert (finding.mark, "made" in finding.text) == (FINE, True)


def test_unread_stack(planned: Plan) -> None:
    """A stack that may not be looked at is not checked, and the permission is named."""
    finding = stack_rules.stack(planned, REFUSED)
    assert finding.mark is NOT_CHECKED
    assert "service:Operation" in finding.text


@pytest.mark.parametrize(
    ("facts", "mark", "said"),
    [
        ((True, NONE, NONE), FINE, "an update"),
        ((True, NONE, REFUSED), FINE, "an update"),
        ((False, FIRST, KEPT | {OTHER}), FINE, "an update"),
        ((False, FIRST, KEPT - {CLUSTER}), IN_THE_WAY, "another project's"),
        ((False, FIRST, KEPT - {TABLE}), IN_THE_WAY, "another project's"),
        ((False, FIRST, frozenset({OTHER})), IN_THE_WAY, "another project's"),
        ((False, FIRST, REFUSED), NOT_CHECKED, "It needs service:Operation"),
        ((False, ORIGINAL, KEPT), IN_THE_WAY, "original pattern's"),
        ((False, ORIGINAL, REFUSED), IN_THE_WAY, "original pattern's"),
        ((False, {"Url"}, KEPT), IN_THE_WAY, "another project's"),
        ((False, {"Url"}, REFUSED), IN_THE_WAY, "another project's"),
        ((False, NONE, NONE), IN_THE_WAY, "another project's"),
    ],
)
def test_whose_stack(
    facts: tuple[bool, set[str], Any], mark: Mark, said: str, planned: Plan
) -> None:
    """A stack is ours by its description, or by outputs, table and cluster of each release."""
    ours, outputs, resources = facts
    its = planned.description if ours else "its own"
    found = deployed(planned, description=its, outputs=frozenset(outputs), resources=resources)
    finding = stack_rules.stack(planned, found)
    assert (finding.mark, said in finding.text) == (mark, True)


@pytest.mark.parametrize(("number", "mark"), [(0, FINE), (3, IN_THE_WAY), (REFUSED, NOT_CHECKED)])
def test_open_records(number: int, mark: Mark, planned: Plan) -> None:
    """An update waits for open records."""
    [finding] = stack_rules.records(planned, account(planned, open_records=number))
    assert finding.mark is mark


def test_no_records(planned: Plan) -> None:
    """Records are no subject where no stack of this project is."""
    assert not stack_rules.records(planned, account(planned))


def test_update_waits() -> None:
    """The page on operations asks for an update without open records, as the rule does."""
    text = " ".join(Page(ROOT / "docs" / "operations.md").text.split())
    assert "Before version 1.0.0 all executions have to end before an update" in text
    assert "no record may be open" in text


@pytest.mark.parametrize(
    ("region", "mark"), [("", FINE), ("eu-west-1", FINE), ("us-east-2", Mark.WARNING)]
)
def test_region(region: str, mark: Mark, planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Region in samconfig.toml is a warning, with the command that looks there."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    finding = stack_rules.region(replace(planned, region=region), account(planned))
    assert finding.mark is mark
    for command in finding.commands:
        variable, _, value = command.partition(" ")[0].partition("=")
        monkeypatch.setenv(variable, value)
        assert Reader().region == region


def test_region_that_is_none(planned: Plan) -> None:
    """A Region of samconfig.toml stands in the command as one word, whatever is in it."""
    finding = stack_rules.region(replace(planned, region="x; rm y"), account(planned))
    assert shlex.split(finding.commands[0])[0].endswith("=x; rm y")


@pytest.mark.parametrize(
    ("cli", "warned"), [("", False), ("eu-west-1", False), ("us-east-2", True), ("x; rm y", True)]
)
def test_region_of_the_cli(
    cli: str, warned: bool, planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An AWS CLI that looks elsewhere is a warning; after its command both look into one Region."""
    there = account(planned, cli_region=cli)
    found = stack_rules.region_of_the_cli(there)
    assert [finding.mark for finding in found] == [Mark.WARNING] * warned
    for command in [command for finding in found for command in finding.commands]:
        for given in shlex.split(command)[1:]:
            monkeypatch.setenv(*given.split("="))
        assert Reader().region == os.environ["AWS_REGION"] == there.region
