"""Sentences begin with their subject: readers whose third language is English read them once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = ("src", "local", "scripts", "bench", "tests")
# A sentence that begins with one of these tells its subject late, or turns its verb round.
INVERTING = frozenset({"What", "Whoever", "None", "Of", "Nor", "So"})


@pytest.mark.parametrize("folder", CODE)
def test_docstrings_begin_with_their_subject(folder: str) -> None:
    """A docstring begins with the thing that it is about."""
    assert list(_inverted_docstrings(folder)) == []


def _inverted_docstrings(folder: str) -> Iterator[str]:
    """Yield file, line and text of each docstring whose first word inverts its sentence."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(
                node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            ):
                continue
            text = ast.get_docstring(node) or ""
            if is_inverted(text):
                first = text.partition("\n")[0]
                yield f"{path.relative_to(ROOT)}:{node.body[0].lineno}: {first}"


def is_inverted(sentence: str) -> bool:
    """Whether a sentence begins with a word that inverts it."""
    return next(iter(sentence.split()), "").strip("*_,:.") in INVERTING
