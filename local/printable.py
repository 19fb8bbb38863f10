"""Texts from outside, made safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text with its control characters escaped, except the ends of its lines.

    A container's log may move a terminal's cursor, clear its screen or type into it.
    """
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
