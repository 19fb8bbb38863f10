"""Imports within the deployed code and the local system; those for types count too."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# A floor imports from itself and from those below; the worker's code is deployed alone.
BELOW = {
    "core": set(),
    "adapters": {"core"},
    "orchestrator": {"adapters", "core"},
    "ecs_events": {"adapters", "core"},
    "worker": set(),
}


# Modules of pure rules, which have to stay pure.
RULES = ("repair", "verdict")


@pytest.fixture(scope="module")
def deployed() -> dict[str, set[str]]:
    """The modules of src/, each with what it imports."""
    return _imports(ROOT / "src", ROOT / "src")


@pytest.fixture(scope="module")
def local() -> dict[str, set[str]]:
    """The modules of local/, each with what it imports."""
    return _imports(ROOT / "local", ROOT)


@pytest.mark.parametrize("floor", BELOW)
def test_no_floor_imports_upwards(deployed: Mapping[str, set[str]], floor: str) -> None:
    """A floor of src/ imports no floor beside it or above it."""
    imported = _merged(deployed)[floor]
    assert imported & BELOW.keys() <= BELOW[floor]


def test_every_floor_has_its_place(deployed: Mapping[str, set[str]]) -> None:
    """Each folder of src/ is a floor, and the higher ones use the lower ones."""
    floors = _merged(deployed)
    assert floors.keys() == BELOW.keys()
    assert all(below <= floors[floor] for floor, below in BELOW.items())


def test_rules_know_no_aws(deployed: Mapping[str, set[str]]) -> None:
    """The rules in core/ need neither AWS's clients nor the durable functions' SDK."""
    imported = {name.partition(".")[0] for name in _merged(deployed)["core"]}
    assert imported - sys.stdlib_module_names == {"msgspec"}


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_tested_without_aws(rule: str) -> None:
    """The tests of the hardest rules load no client of AWS, no SDK and no stand-in for AWS."""
    tests = [path.stem for path in (ROOT / "tests/unit/core").glob(f"test_{rule}*.py")]
    modules = ", ".join(f"tests.unit.core.{test}" for test in tests)
    program = f"import sys, {modules}; print(*sys.modules)"
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    loaded = subprocess.run(
        [sys.executable, "-c", program], env=paths, capture_output=True, text=True, check=True
    ).stdout.split()
    assert f"core.{rule}" in loaded
    assert not {"boto3", "botocore", "moto", "aws_durable_execution_sdk_python"} & set(loaded)


def test_nobody_asks_which_flow_it_is() -> None:
    """Code asks what follows from a flow, not which one it is: another flow is a row of a table."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare | ast.match_case):
                assert "Flow." not in ast.unparse(node), f"{path}:{node}"


@pytest.mark.parametrize("code", ["deployed", "local"])
def test_no_circle_of_modules(request: pytest.FixtureRequest, code: str) -> None:
    """No module imports, by whatever way, a module that imports it."""
    assert not _circle(request.getfixturevalue(code))


def test_no_circle_of_packages(local: Mapping[str, set[str]]) -> None:
    """No package of the local system imports, by whatever way, a package that imports it."""
    assert not _circle(_merged(local, 2))


def _imports(folder: Path, root: Path) -> dict[str, set[str]]:
    """Return the modules of a folder by name, each with the names of what it imports."""
    paths = {_name(path.relative_to(root)): path for path in folder.rglob("*.py")}
    return {
        name: {
            # A name of a package may be a module of its own, or something that is defined in it.
            imported if imported in paths else imported.rpartition(".")[0]
            for imported in _imported(path)
        }
        for name, path in paths.items()
    }


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            # As if a name were imported from it.
            yield from (f"{alias.name}.*" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path} has a relative import, which this test cannot follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _merged(imports: Mapping[str, Iterable[str]], depth: int = 1) -> dict[str, set[str]]:
    """Return the same for packages: what their modules import of others, under a short name."""

    def package(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    merged: defaultdict[str, set[str]] = defaultdict(set)
    for name, imported in imports.items():
        merged[package(name)] |= {package(other) for other in imported} - {package(name)}
    return dict(merged)


def _circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the names of a circle, if there is one."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
