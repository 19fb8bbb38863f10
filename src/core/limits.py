"""The bounds that ECS sets to a payload's values, checked before anything starts."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from core.launch import Variable
from core.reading import InvalidRequestError, dotted
from core.size import MEMORIES, least_cpu, nearest, told

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from core.flow import Flow

# ECS's agent, Fargate and the AWS SDKs set variables with these prefixes.
RESERVED_PREFIXES = ("AWS_", "ECS_", "_X_AMZN_")
# The template sets this variable in the default container: the ARN of the layer with its code.
CODE = "WORKER_CODE_ARN"
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 40, 128, 256
MAX_NAME = 255
_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_NAME}}}")
_DEFINITION = re.compile(rf"(?P<family>{_NAME.pattern})(?::(?P<revision>[1-9][0-9]{{0,8}}))?")
_TAG_SIGNS = frozenset("_.:/=+-@")
_TAG_WORDS = "letters, digits, spaces and any of _ . : / = + - @"


class Definition(NamedTuple):
    """A task definition; without a revision, the latest of its family."""

    family: str
    revision: int | None


def definition(text: str, stack: str) -> Definition:
    """Read a `taskDefinition`.

    Raises:
        InvalidRequestError: the text names no family of the stack.
    """
    match = _DEFINITION.fullmatch(text)
    if match is None or not match["family"].startswith(f"{stack}-"):
        expected = (
            f"a family, or FAMILY:REVISION, that begins with {stack}- and has up to {MAX_NAME} "
            "letters, digits, - and _"
        )
        raise InvalidRequestError("taskDefinition", text, expected)
    return Definition(match["family"], int(match["revision"]) if match["revision"] else None)


def check_container(name: str) -> None:
    """Refuse a `containerName` that no container has.

    Raises:
        InvalidRequestError: says which names are valid.
    """
    if not _NAME.fullmatch(name):
        expected = f"1 to {MAX_NAME} letters, digits, - and _"
        raise InvalidRequestError("containerName", name, expected)


def check_command(command: Sequence[str]) -> None:
    """Refuse a `command` that no container can run.

    Raises:
        InvalidRequestError: says which commands are valid.
    """
    if not command or not command[0] or any("\0" in word for word in command):
        expected = "a list of text without NUL, whose first word is not empty"
        raise InvalidRequestError("command", list(command), expected)


def check_environment(environment: Mapping[str, str], taken: Collection[str]) -> None:
    """Refuse a variable that no container can have, or that is not the caller's to set.

    Args:
        environment: the payload's variables.
        taken: names that other fields of the payload set.

    Raises:
        InvalidRequestError: names the variable.
    """
    for name, value in environment.items():
        if expected := _expected_of_variable(name, value, taken):
            raise InvalidRequestError(dotted("environment", name), value, expected)


def _expected_of_variable(name: str, value: str, taken: Collection[str]) -> str | None:
    if not name or "=" in name or "\0" in name:
        return "a name without = and NUL, that is not empty"
    if name in (own := [*Variable, CODE]):
        return f"a name that the stack does not set itself, as it does {', '.join(own)}"
    if name in taken:
        return "a name that no other field of the payload sets"
    if name.startswith(RESERVED_PREFIXES):
        return f"a name that begins with none of {', '.join(RESERVED_PREFIXES)}"
    return "text without NUL" if "\0" in value else None


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that ECS does not take.

    Raises:
        InvalidRequestError: names the tag.
    """
    if len(tags) > MAX_TAGS:
        raise InvalidRequestError("tags", dict(tags), f"at most {MAX_TAGS} tags")
    for key, value in tags.items():
        field = dotted("tags", key)
        if not _is_tag(key, MAX_TAG_KEY) or not key:
            expected = f"a key of 1 to {MAX_TAG_KEY} characters, {_TAG_WORDS}"
            raise InvalidRequestError(field, value, f"{expected}, that does not begin with aws:")
        if not _is_tag(value, MAX_TAG_VALUE):
            expected = f"at most {MAX_TAG_VALUE} characters, {_TAG_WORDS}"
            raise InvalidRequestError(field, value, f"{expected}, that do not begin with aws:")


def _is_tag(text: str, longest: int) -> bool:
    return (
        len(text) <= longest
        and not text.lower().startswith("aws:")
        and all(sign in _TAG_SIGNS or unicodedata.category(sign)[0] in "LNZ" for sign in text)
    )


def check_size(cpu: int | None, memory: Sequence[int], attempts: int, flow: Flow) -> None:
    """Refuse a size that Fargate does not offer, in any attempt, and more sizes than attempts.

    Args:
        cpu: CPU units; None for the fewest beside the memory.
        memory: MiB by attempt; empty for the definition's own.
        attempts: the highest number of attempts.
        flow: the payload's flow.

    Raises:
        InvalidRequestError: names the field and what is accepted, and for a list the attempt.
    """
    if cpu is not None and cpu not in MEMORIES:
        raise InvalidRequestError("cpu", cpu, f"one of {', '.join(map(str, MEMORIES))}")
    if cpu is not None and not memory:
        least, most = MEMORIES[cpu][0], MEMORIES[cpu][-1]
        expected = f"memory beside it, for Fargate has it with {least} to {most} MiB"
        raise InvalidRequestError("cpu", cpu, expected)
    if len(memory) > attempts:
        why = "" if flow.is_awaited else " (this flow has one attempt)"
        expected = f"at most {attempts} value{'s' if attempts > 1 else ''}, one an attempt{why}"
        raise InvalidRequestError("memory", list(memory), expected)
    for attempt, size in enumerate(memory, start=1):
        beside = least_cpu(size) if cpu is None else cpu
        if beside is None or size not in MEMORIES[beside]:
            where = f"in attempt {attempt}, instead of {size} MiB: " if len(memory) > 1 else ""
            expected = f"a size that Fargate has, {where}{told(nearest(size, cpu))}"
            asked = list(memory) if len(memory) > 1 else size
            raise InvalidRequestError("memory", asked, expected)
