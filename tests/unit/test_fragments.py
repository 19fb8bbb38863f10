from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING

import botocore.session
import pytest
from cfnlint.api import lint

from local.iam.roles import roles_of
from local.refusals import check
from local.stack import Stack
from tests import template
from tests.fragments import added, fragments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template to which somebody has added all fragments of the pages."""
    path = tmp_path_factory.mktemp("fragments") / "template.yaml"
    whole = functools.reduce(added, fragments(), template.source())
    path.write_text(json.dumps(whole))
    return path


def test_lint(path: Path) -> None:
    """The template with the fragments that pages show is one that cfn-lint accepts."""
    assert fragments()
    assert not lint(path.read_text())


def test_local_system(path: Path) -> None:
    """The local system knows all that the fragments let a role do."""
    local = Stack(path, "http://127.0.0.1")
    check(local)
    allowed = {rule.action for rule in roles_of(local)["TaskRole"].rules}
    assert {"dynamodb:PutItem", "ssmmessages:OpenDataChannel"} <= allowed


def test_what_they_add(path: Path) -> None:
    """Each fragment adds its statement or variable, and takes nothing away."""
    before, after = template.stack(), template.stack(path=path)
    role, definition = "AWS::IAM::Role", "AWS::ECS::TaskDefinition"
    policies = [s.of_type(role)["TaskRole"]["Policies"] for s in (before, after)]
    assert policies[1][: len(policies[0])] == policies[0]
    assert {policy["PolicyName"] for policy in policies[1][len(policies[0]) :]} == {
        "keep-progress",
        "read-orders",
        "shell",
    }
    [[was], [now]] = (
        s.of_type(definition)["TaskDefinition"]["ContainerDefinitions"] for s in (before, after)
    )
    assert now["Environment"][: len(was["Environment"])] == was["Environment"]
    assert [v["Name"] for v in now["Environment"][len(was["Environment"]) :]] == ["PROGRESS_TABLE"]
    assert {**now, "Environment": []} == {**was, "Environment": []}


def test_request_for_a_shell() -> None:
    """The line for a shell that the page adds to RunTask's request has its place there."""
    page = " ".join((template.ROOT / "docs" / "operations.md").read_text().split())
    assert 'after `"count": 1`, add the line `"enableExecuteCommand": True`' in page
    source = (template.ROOT / "src" / "core" / "launch.py").read_text()
    assert len(re.findall(r'(?m)^ {12}"count": 1,$', source)) == 1
    asked = botocore.session.get_session().get_service_model("ecs").operation_model("RunTask")
    assert asked.input_shape.members["enableExecuteCommand"].type_name == "boolean"
