from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import template
from tests.permissions.calls import SOURCE, calls, reached
from tests.permissions.check import differences
from tests.permissions.page import Row, holders, rows
from tests.permissions.policies import granted
from tests.template import ACCOUNT, ROOT, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.template import Stack

STACK = template.named_stack(template.translated())


def shown(row: Row) -> str:
    """A row's name in test reports."""
    return f"{row.holders}: {' '.join(row.actions)}"


each_row = pytest.mark.parametrize("row", rows(), ids=shown)


def programs(holder: str) -> list[Path]:
    """The files that run for the holder of a grant: a handler, or what the container runs."""
    for function in STACK.functions().values():
        if function["FunctionName"] == f"{STACK.name}-{holder}":
            module, _ = function["Handler"].rsplit(".", 1)
            return [SOURCE / f"{module.replace('.', '/')}.py"]
    return [SOURCE / "worker" / "fetch.py", SOURCE / "worker" / "process.py"]


def test_every_grant(written: Path) -> None:
    """The template grants exactly what docs/permissions.md lists, with either kind of image."""
    added = "" if written == TEMPLATE else "-added-function"
    assert differences(template.translated(written), added=added) == []


@each_row
def test_reason(row: Row) -> None:
    """Each grant has a reason, and one on everything says that the action knows no resource."""
    assert row.reason
    if "*" in row.resources:
        assert "know no resource" in row.reason or "knows no resource" in row.reason


@each_row
def test_full_names(row: Row) -> None:
    """No grant allows a group of calls by a part of their names."""
    assert row.effect == "Deny" or not [action for action in row.actions if "*" in action]


@each_row
def test_calls(row: Row) -> None:
    """A grant that names code is for calls that this code makes, and its holder runs it."""
    files = {ROOT / source for source in row.sources}
    if not files:
        return
    assert set(row.actions) <= {action for path in files for action in calls(path)}
    for holder in holders(row, STACK):
        assert files <= {path for program in programs(holder) for path in reached(program)}


def test_every_call() -> None:
    """Each call to AWS that the code makes is one that some grant names its file for."""
    listed = {(ROOT / source, a) for row in rows() for source in row.sources for a in row.actions}
    made = {(path, action) for path in SOURCE.rglob("*.py") for action in calls(path)}
    assert made
    assert made <= listed


def test_queues() -> None:
    """Messages may be sent by those that are told to keep something in a queue, and only there."""
    senders = {(g.holder, g.resource) for g in granted(STACK) if g.action == "sqs:SendMessage"}
    assert senders == {*kept_by_functions(STACK), *kept_by_rules(STACK)}


def kept_by_functions(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each function with the queues of its dead letters and of the events that it failed on."""
    for function in stack.functions().values():
        if letters := function.get("DeadLetterConfig"):
            yield function["FunctionName"], letters["TargetArn"]
    for config in stack.of_type("AWS::Lambda::EventInvokeConfig").values():
        if destination := config.get("DestinationConfig", {}).get("OnFailure"):
            yield config["FunctionName"], destination["Destination"]


def kept_by_rules(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each queue of events that a rule could not deliver, which itself says who may send."""
    for rule in stack.of_type("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            if letters := target.get("DeadLetterConfig"):
                yield letters["Arn"].rpartition(":")[2], letters["Arn"]


def test_passed_roles() -> None:
    """The roles passed on to a task are its definition's two, and those under the stack's path."""
    [definition] = STACK.of_type("AWS::ECS::TaskDefinition").values()
    passed = {grant.resource for grant in granted(STACK) if grant.action == "iam:PassRole"}
    path = f"arn:aws:iam::{ACCOUNT}:role/{STACK.name}/*"
    assert passed == {definition["TaskRoleArn"], definition["ExecutionRoleArn"], path}
