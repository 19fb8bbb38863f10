"""Sentences begin with their subject: readers whose third language is English read them once."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.markdown import Page, pages
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


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.path.relative_to(ROOT)))
def test_sentences_of_pages_begin_with_their_subject(page: Page) -> None:
    """A sentence of a page begins with its subject; headings and tables may ask a question."""
    sentences = [part for text in page.paragraphs for part in _sentences(text)]
    inverted = [sentence for sentence in sentences if is_inverted(sentence)]
    assert not inverted, f"{page.path.relative_to(ROOT)}: {inverted}"


def _sentences(paragraph: str) -> list[str]:
    """Return a paragraph's sentences, each bit of code in them as one word."""
    return re.split(r"(?<=[.!?:])[)*_\"]* ", re.sub("`[^`]+`", "code", paragraph))


@pytest.mark.parametrize(
    ("text", "inverted"),
    [
        ("The queues are full. None is read.", 1),
        ("**What is done.** It ends. (So it does.) Nor that: Whoever asks.", 4),
        ("Say `None` or `What. Of`. Sofas are none of these, so what?", 0),
    ],
)
def test_what_counts_as_inverted(text: str, inverted: int) -> None:
    """A sentence is found after each end of another, in bold and brackets too, but not in code."""
    assert sum(map(is_inverted, _sentences(text))) == inverted


def is_inverted(sentence: str) -> bool:
    """Whether a sentence begins with a word that inverts it."""
    return next(iter(sentence.split()), "").strip("*_,:.([") in INVERTING
