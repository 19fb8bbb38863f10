from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests import template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.template import Stack

    Change = Callable[[dict[str, Any]], object]

REVISION = "REVISION"


def raise_revision(source: dict[str, Any]) -> None:
    """Write another REVISION."""
    variables = source["Globals"]["Function"]["Environment"]["Variables"]
    variables[REVISION] = str(int(variables[REVISION]) + 1)


def change_more(source: dict[str, Any]) -> None:
    """Give functions tags, a concurrency, another timeout, and their parameters other values."""
    for function in functions(source):
        function["Tags"] = {"team": "a"}
        function["ReservedConcurrentExecutions"] = 5
        function["Timeout"] = 59
    source["Parameters"]["ExecutionTimeout"]["Default"] = 90_000
    source["Parameters"]["LogTail"]["Default"] = "no"


def functions(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the functions' properties as they are written."""
    resources = source["Resources"].values()
    return [r["Properties"] for r in resources if r["Type"] == "AWS::Serverless::Function"]


@pytest.fixture(scope="module")
def versions(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., set[str]]:
    """Return what tells the logical ids of all versions, after a change of the template."""

    def logical_ids(change: Change | None = None) -> set[str]:
        path = written
        if change:
            source = copy.deepcopy(template.source(written))
            change(source)
            path = tmp_path_factory.mktemp("changed") / "template.yaml"
            path.write_text(json.dumps(source))
        resources = template.translated(path)["Resources"]
        return {name for name, r in resources.items() if r["Type"] == "AWS::Lambda::Version"}

    return logical_ids


def test_raised_revision(versions: Callable[..., set[str]], source: dict[str, Any]) -> None:
    """A raised REVISION publishes a new version of every function."""
    raised = versions(raise_revision)
    assert len(raised) == len(functions(source))
    assert not raised & versions()


def test_no_version(versions: Callable[..., set[str]]) -> None:
    """Tags, concurrency, parameters and timeouts publish no version without a raised REVISION."""
    assert versions(change_more) == versions()


def test_version_agrees_with_itself(written: Path) -> None:
    """A version's environment and its DurableConfig tell the same ExecutionTimeout."""
    resources = template.translated(written)["Resources"].values()
    durable = [r["Properties"] for r in resources if "DurableConfig" in r.get("Properties", {})]
    assert len(durable) >= 3
    for function in durable:
        told = function["Environment"]["Variables"]["EXECUTION_TIMEOUT"]
        assert told == function["DurableConfig"]["ExecutionTimeout"] == {"Ref": "ExecutionTimeout"}


def test_live(stack: Stack) -> None:
    """The alias `live` names the version that the deployment published last."""
    aliases = stack.of_type("AWS::Lambda::Alias")
    published = {f"${{{name}.Version}}" for name in stack.of_type("AWS::Lambda::Version")}
    assert {alias["FunctionVersion"] for alias in aliases.values()} == published
