"""The calls to AWS that the code makes, and the files that a handler reaches."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = ROOT / "src"
# IAM's name of an action, where it is not the operation's.
_ACTIONS = {"lambda:GetLayerVersionByArn": "lambda:GetLayerVersion"}
_MAKES_CLIENT = {"client", "resource"}


@cache
def calls(path: Path) -> frozenset[str]:
    """Return the actions of the operations that a file calls, by boto3's names of both."""
    tree = ast.parse(path.read_text())
    words = {*_constants(tree)}
    words |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = {
        f"{service}:{operation}"
        for service in _services(tree)
        for operation in _operations(service)
        if xform_name(operation) in words
    }
    return frozenset(_ACTIONS.get(action, action) for action in found)


@cache
def reached(path: Path) -> frozenset[Path]:
    """Return the files of src/ that are imported with a file, itself included."""
    found, waiting = {path}, [path]
    while waiting:
        new = set(_imported(waiting.pop())) - found
        found |= new
        waiting += new
    return frozenset(found)


def _constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _services(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node.func) in _MAKES_CLIENT:
            yield from (text for argument in node.args for text in _constants(argument))


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def _operations(service: str) -> list[str]:
    model = botocore.session.get_session().get_service_model(service)
    return list(model.operation_names)


def _imported(path: Path) -> Iterator[Path]:
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            module = SOURCE / name.replace(".", "/")
            yield from (
                p for p in (module.with_suffix(".py"), module / "__init__.py") if p.exists()
            )


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a file, but for what is there for types alone."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield child
            yield from _running(child)
