"""Answers of the local system, held against AWS's own models of its APIs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (int, float),
}


def conforming(client: Any, operation: str = "*") -> None:
    """Let a client fail at each answer that is not what AWS's model says.

    That is a member that the model does not have, none where it must have one, or another type.
    """
    event = f"before-parse.*.{operation}"
    client.meta.events.register(event, _check, unique_id="shapes")


def _check(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    shape = operation_model.output_shape
    is_json = "json" in operation_model.service_model.metadata["protocol"]
    if response_dict["status_code"] >= 300 or not is_json or shape is None:
        return
    if not shape.serialization.get("payload"):
        body = json.loads(response_dict["body"] or b"{}")
        faults = list(_faults(shape, body, operation_model.name))
        assert not faults, "\n".join(faults)


def _is_typed(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES.get(kind, (object,)))


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if not _is_typed(kind, value):
        yield f"{path} is no {kind} but {value!r}"
    elif kind == "structure":
        yield from _faults_of_structure(shape, value, path)
    elif kind == "map":
        for name, item in value.items():
            yield from _faults(shape.value, item, f"{path}.{name}")
    elif kind == "list":
        for number, item in enumerate(value):
            yield from _faults(shape.member, item, f"{path}[{number}]")
    elif kind == "string":
        limits = shape.metadata
        if "enum" in limits and value not in limits["enum"]:
            yield f"{path} is none of {limits['enum']} but {value!r}"
        # Classes of Unicode characters are not known to Python.
        pattern = limits.get("pattern", "")
        if r"\p{" not in pattern and not re.search(pattern, value):
            yield f"{path} is not of the form {pattern} but {value!r}"


def _faults_of_structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    members = {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }
    for name, item in value.items():
        if name not in members:
            yield f"{path}.{name} is unknown"
        # Parsers take a null for an absent member.
        elif item is not None:
            yield from _faults(members[name], item, f"{path}.{name}")
    for name in shape.required_members:
        if "location" not in shape.members[name].serialization and value.get(name) is None:
            yield f"{path}.{name} is missing"
