"""Texts of others, as a terminal may show them."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text whose control characters are escaped, but for the ends of its lines.

    A container may log what moves a terminal's cursor, clears its screen or types into it.
    """
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
