"""Markdown pages as tests read them: fences, tables, links and anchors."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


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
        return [command for line in _lines(self.text) for command in commands(line)]


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
        return _FENCE.sub("", self.text)

    @property
    def fences(self) -> list[Fence]:
        """The blocks of code, in order."""
        return [
            Fence(match["language"], match["text"], _paragraph_before(self.text[: match.start()]))
            for match in _FENCE.finditer(self.text)
        ]

    @property
    def anchors(self) -> set[str]:
        """What a link to a heading may name, by GitHub's rule."""
        titles = [title.lower() for title in _HEADING.findall(self.prose)]
        return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}

    @property
    def links(self) -> list[str]:
        """Targets of all links and images."""
        return _LINK.findall(self.prose)

    def table(self, *header: str) -> list[list[str]]:
        """Return the rows below the only table whose header begins with these cells."""
        [rows] = [t for t in self._tables() if tuple(t[0][: len(header)]) == header]
        return rows[2:]

    def _tables(self) -> list[list[list[str]]]:
        lines = self.prose.splitlines()
        return [
            [[cell.strip() for cell in row[1]] for row in map(_cells, group)]
            for is_row, group in groupby(lines, key=lambda line: bool(_ROW.match(line)))
            if is_row
        ]


def pages() -> list[Page]:
    """Return every page of the repository."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("events/*.md")]
    return [Page(path) for path in sorted(found)]


def commands(line: str) -> list[list[str]]:
    """Split a line of shell into its commands, and each of them into words."""
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


def _cells(line: str) -> tuple[str, list[str]]:
    return line, line.strip("|").split("|")


def _lines(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


def _paragraph_before(text: str) -> str:
    return " ".join(text.rstrip().rpartition("\n\n")[2].split())
