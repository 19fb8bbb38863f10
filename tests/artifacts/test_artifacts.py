from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests import template
from tests.template import REGION, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BUILD = ROOT / ".aws-sam" / "build"
FUNCTIONS = template.stack().of_type("AWS::Lambda::Function")

_CALLABLE = """
import importlib, sys
module, name, *path = sys.argv[1:]
sys.path[:0] = path
assert callable(getattr(importlib.import_module(module), name))
"""


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_handler_imports(function: Mapping[str, Any], request: pytest.FixtureRequest) -> None:
    """Each handler imports from its artifact, on Lambda's Python, with nothing else installed."""
    artifact = BUILD / request.node.callspec.id
    module, _, name = function["Handler"].rpartition(".")
    environment = {**function["Environment"]["Variables"], "AWS_DEFAULT_REGION": REGION}
    assert_callable(function["Runtime"], environment, module, name, artifact)


def test_worker_imports(tmp_path: Path) -> None:
    """The worker imports from its layer as the container lays it out: as the package `worker`."""
    package = tmp_path / "worker"
    package.symlink_to(BUILD / "WorkerCode" / "python")
    assert_callable("python3.13", {}, "worker.process", "run", tmp_path, package)


def assert_callable(
    runtime: str, environment: Mapping[str, Any], module: str, name: str, *path: Path
) -> None:
    """Import a function in a fresh interpreter that sees a path and the standard library alone."""
    texts = {key: str(value) for key, value in environment.items()}
    process = subprocess.run(
        [interpreter(runtime), "-I", "-S", "-B", "-c", _CALLABLE, module, name, *path],
        env=texts,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr


@cache
def interpreter(runtime: str) -> str:
    """Return the path of the Python that a Lambda runtime names."""
    finder = [sys.executable, str(ROOT / "scripts" / "find_python.py")]
    version = runtime.removeprefix("python")
    return subprocess.check_output([*finder, version], text=True).strip()
