"""The reading of fields: each is converted by its type, or refused by its name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

S = TypeVar("S", bound=Struct)

_MAX_SHOWN = 200
_PATH = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`$")
_INDEX = re.compile(r"\[[^]]*\]")
_TYPES = re.compile(r"`(?P<names>[^`]+)`")
# msgspec's names of types, and plain words for them.
_WORDS = {"int": "a whole number", "str": "text", "object": "an object", "array": "a list"}


class InvalidRequestError(ValueError):
    """The payload cannot be run; nothing was started.

    Attributes:
        field: dotted name of the field at fault, "payload" for the whole, shortened as well.
        value: the value that came, shortened to 200 characters.
        expected: words for the values that are accepted.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field, self.value, self.expected = _readable(field), _shown(value), expected
        super().__init__(
            f"{self.field}: expected {expected}, got {self.value}. No task was started."
        )


def convert(given: object, kind: type[S], wording: Mapping[str, str]) -> S:
    """Return a value of a kind, each of its fields within its own type and bounds.

    Args:
        given: the value, as JSON gave it; names that the kind does not know are ignored.
        kind: the kind, with a field for each name.
        wording: texts that replace the types' own words for what is expected, by dotted name.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise _explained(given, str(error), wording) from None


def names(kind: type[Struct]) -> list[str]:
    """Return the names of a kind's fields, as JSON has them."""
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def check_names(
    given: Mapping[str, object],
    known: list[str],
    elsewhere: Callable[[str], str] = lambda _: "",
    path: str = "",
) -> None:
    """Refuse a name that is not known.

    Args:
        given: an object, as JSON gave it.
        known: every allowed name.
        elsewhere: returns who takes an unknown name; empty text for nobody.
        path: dotted name of the object; empty for the payload.

    Raises:
        InvalidRequestError: names the field, and the allowed ones.
    """
    for name in (name for name in given if name not in known):
        expected = elsewhere(name) or f"one of the fields {', '.join(known)}"
        raise InvalidRequestError(dotted(path, name), given[name], expected)


def check_texts(given: object, path: str) -> None:
    """Refuse an object's value that is not text; the check of its type refuses what is no object.

    Raises:
        InvalidRequestError: names the value.
    """
    for name, value in given.items() if isinstance(given, dict) else ():
        if not isinstance(value, str):
            raise InvalidRequestError(dotted(path, name), value, "text")


def check_required(given: Mapping[str, object], kind: type[Struct], path: str) -> None:
    """Refuse an object that lacks a field without a default.

    Args:
        given: an object, as JSON gave it.
        kind: the kind with the fields.
        path: dotted name of the object.

    Raises:
        InvalidRequestError: names the field that is missing.
    """
    for field in msgspec.structs.fields(kind):
        if field.required and field.encode_name not in given:
            missing = dotted(path, field.encode_name)
            raise InvalidRequestError(missing, None, "a value, for it has no default")


def dotted(path: str, name: str) -> str:
    """Return the dotted name of an object's member; `path` is empty for the payload."""
    return ".".join(filter(None, (path, name or json.dumps(name))))


def _explained(given: object, complaint: str, wording: Mapping[str, str]) -> InvalidRequestError:
    """Return msgspec's complaint as an error that also shows the value."""
    located = _PATH.search(complaint)
    path = _INDEX.sub("", located["path"]) if located else ""
    expected = complaint[: located.start()] if located else complaint
    value = given
    for name in filter(None, path.split(".")):
        value = value[name] if isinstance(value, dict) else value
    expected = expected.removeprefix("Expected ").partition(", got")[0]
    expected = wording.get(path) or _TYPES.sub(_words, expected)
    return InvalidRequestError(path or "payload", value, expected)


def _words(types: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types["names"].split(" | "))


def _readable(name: str) -> str:
    """Return a name as text of one line that can be written, shortened to 200 characters."""
    written = name.encode(errors="backslashreplace").decode()
    if not written.isprintable():
        written = json.dumps(written)[1:-1]
    return written if len(written) <= _MAX_SHOWN else f"{written[:_MAX_SHOWN]}…"


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        return "a value that is nested too deeply to be shown"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text)} characters)"
