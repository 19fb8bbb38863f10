"""Markdown pages as tests read them: fences, tables, links and anchors."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tests.template import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code.

    Attributes:
        before: the paragraph, or the comment, that introduces it, as one line.
    """

    language: str
    text: str
    before: str

    @property
    def is_for_aws(self) -> bool:
        """Whether its introduction says so: it has the words "On AWS"."""
        return "on aws" in self.before.lower()

    @property
    def is_for_make_up(self) -> bool:
        """Whether the local system serves it too, or alone: "On AWS or locally", "Locally"."""
        return "locally" in self.before.lower()

    @property
    def needs_nothing(self) -> bool:
        """Whether anybody can run it, with neither an account nor the local system."""
        return not (self.is_for_aws or self.is_for_make_up)

    def commands(self) -> list[list[str]]:
        """Return its shell commands as words, assignments of variables left out."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [command for line in lines for command in _commands(line)]


@dataclass(frozen=True)
class Page:
    """A file in Markdown."""

    path: Path

    @cached_property
    def text(self) -> str:
        """The whole page."""
        return self.path.read_text()

    @property
    def prose(self) -> str:
        """The page without its blocks of code."""
        return "\n".join(node.content for node in self._nodes("inline"))

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs, those of lists too, each as one line; no heading, table or code."""
        return [_text(node) for node in self._nodes("paragraph")]

    @property
    def fences(self) -> list[Fence]:
        """The blocks of code, in order."""
        return [Fence(n.info, n.content, _text(n.previous_sibling)) for n in self._nodes("fence")]

    @property
    def anchors(self) -> set[str]:
        """The anchors that a link to a heading may name, by GitHub's rule."""
        titles = [_text(node).lower() for node in self._nodes("heading")]
        return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}

    @property
    def links(self) -> list[str]:
        """Targets of all links and images."""
        return [str(n.attrs.get("href") or n.attrs["src"]) for n in self._nodes("link", "image")]

    def table(self, *header: str) -> list[list[str]]:
        """Return the rows below the only table whose header begins with these cells."""
        [rows] = self.tables(*header)
        return rows

    def tables(self, *header: str) -> list[list[list[str]]]:
        """Return the rows below each table whose header begins with these cells."""
        tables = [[part.children for part in table.children] for table in self._nodes("table")]
        found = [rows for [head], rows in tables if tuple(_cells(head)[: len(header)]) == header]
        return [[_cells(row) for row in rows] for rows in found]

    def _nodes(self, *kinds: str) -> list[SyntaxTreeNode]:
        return [node for node in self._tree.walk() if node.type in kinds]

    @cached_property
    def _tree(self) -> SyntaxTreeNode:
        return SyntaxTreeNode(MarkdownIt().enable("table").parse(self.text))


def pages() -> list[Page]:
    """Return every page of the repository."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("events/*.md")]
    return [Page(path) for path in sorted(found)]


def _commands(line: str) -> list[list[str]]:
    """Return a line of shell as its commands, and each of them as words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    parts = groupby(lexer, key=lambda word: bool(re.fullmatch(r"[();<>|&]+", word)))
    found = [list(words) for is_operator, words in parts if not is_operator]
    return [words for words in found if not re.match(r"\w+=", words[0])]


def code(cell: str) -> list[str]:
    """Return what a cell shows as code."""
    return re.findall(r"`([^`]+)`", cell)


def first_column(rows: list[list[str]]) -> list[str]:
    """Return what the rows of a table show as code in their first cells."""
    return [shown for row in rows for shown in code(row[0])]


def _cells(row: SyntaxTreeNode) -> list[str]:
    return [_text(cell) for cell in row.children]


def _text(node: SyntaxTreeNode | None) -> str:
    """Return a block as it is written, as one line; nothing for none."""
    inline = node.children[0] if node and node.children else node
    return " ".join(inline.content.split()) if inline else ""
