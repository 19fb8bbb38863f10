"""Queries of Logs Insights: the part of the language that this project's documentation uses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.errors import ApiError
from local.nesting import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOKEN = re.compile(r""""[^"]*"|'[^']*'|[=,|]|[^\s=,|"']+|["']""")
_MOST_ROWS = 10_000
_KNOWN = """\
Known here are: fields a, b.c | filter a = "x" and b like "y" or c = "z" | sort @timestamp asc | \
limit 10"""


@dataclass(frozen=True, slots=True)
class Line:
    """A log event.

    Attributes:
        moment: the moment in milliseconds.
        log: account and group, as in `@log`.
    """

    moment: int
    log: str
    stream: str
    message: str
    pointer: str

    def values(self) -> Mapping[str, object]:
        """Return the fields that a query may name: Logs' own, and those of a JSON message."""
        second = datetime.fromtimestamp(self.moment // 1000, UTC)
        return {
            **_members(self.message),
            "@timestamp": f"{second:%Y-%m-%d %H:%M:%S}.{self.moment % 1000:03}",
            "@message": self.message,
            "@logStream": self.stream,
            "@log": self.log,
        }


@dataclass(frozen=True, slots=True)
class _Comparison:
    name: str
    operator: str
    text: str

    def holds(self, values: Mapping[str, object]) -> bool:
        value = _text(values, self.name)
        if value is None:
            return False
        return value == self.text if self.operator == "=" else self.text in value


@dataclass(slots=True)
class Query:
    """A query that was understood.

    Attributes:
        fields: the fields of each row.
        filters: all have to hold; each holds if all conditions of one of its alternatives hold.
        descending: whether the newest line comes first.
        limit: highest number of rows.
    """

    fields: list[str] = field(default_factory=list)
    filters: list[list[list[_Comparison]]] = field(default_factory=list)
    descending: bool = True
    limit: int | None = None

    def rows(self, lines: Iterable[Line], limit: int | None = None) -> list[dict[str, str]]:
        """Return the query's rows of lines.

        Args:
            lines: the lines of all groups, in any order.
            limit: highest number of rows if the query does not say it.
        """
        found = [line for line in lines if self._takes(line.values())]
        found.sort(key=lambda line: line.moment, reverse=self.descending)
        most = self.limit or limit or _MOST_ROWS
        return [self._row(line) for line in found[:most]]

    def _takes(self, values: Mapping[str, object]) -> bool:
        return all(
            any(all(each.holds(values) for each in alternative) for alternative in alternatives)
            for alternatives in self.filters
        )

    def _row(self, line: Line) -> dict[str, str]:
        values = line.values()
        shown = {name: _text(values, name) for name in self.fields or ("@timestamp", "@message")}
        there = {name: text for name, text in shown.items() if text is not None}
        return {**there, "@ptr": line.pointer}


def parse(text: str) -> Query:
    """Return a query.

    Raises:
        ApiError: a command, or a part of one, is not known here.
    """
    query = Query()
    for command in _split(_TOKEN.findall(text), "|"):
        word, *rest = command or [""]
        match word.lower(), rest:
            case "fields", [*names] if names and all(len(n) == 1 for n in _split(names, ",")):
                query.fields += [name for [name] in _split(names, ",")]
            case "filter", [*tokens] if tokens:
                query.filters.append(list(_alternatives(tokens)))
            case "sort", ["@timestamp", *order] if order in ([], ["asc"], ["desc"]):
                # AWS does not document the default order: the documented queries name one.
                query.descending = order == ["desc"]
            case "limit", [number] if number.isdecimal() and int(number):
                query.limit = int(number)
            case _:
                raise _malformed(command)
    return query


def _alternatives(tokens: list[str]) -> Iterator[list[_Comparison]]:
    for alternative in _split(tokens, "or"):
        yield [_comparison(part) for part in _split(alternative, "and")]


def _comparison(tokens: list[str]) -> _Comparison:
    match tokens:
        case [name, "=" | "like" as operator, text] if text.isdecimal():
            return _Comparison(name, operator, text)
        case [name, "=" | "like" as operator, text] if len(text) > 1 and text[0] in "\"'":
            return _Comparison(name, operator, text[1:-1])
    raise _malformed(tokens)


def _split(tokens: list[str], separator: str) -> list[list[str]]:
    """Return the parts between separators; an empty part is an error later."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token.lower() == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _members(message: str) -> dict[str, object]:
    try:
        members = read(message)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def _text(values: Mapping[str, object], name: str) -> str | None:
    """Return a value by its name, dotted for a deeper one; None where there is none."""
    value: object = values
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _malformed(tokens: list[str]) -> ApiError:
    return ApiError("MalformedQueryException", f"Not known here: {' '.join(tokens)}. {_KNOWN}")
