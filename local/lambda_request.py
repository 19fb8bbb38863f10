"""A request to Lambda, read and checked by AWS's model of its API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import botocore.session
from botocore.utils import parse_timestamp

from local.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from botocore.model import OperationModel, ServiceModel, Shape
    from werkzeug.wrappers import Request


# `sam local` hands on any text as an ARN, and expects "not found" for a wrong one.
_FREE = frozenset({"DurableExecutionArn"})


@cache
def model() -> ServiceModel:
    """Return AWS's model of Lambda's API."""
    return botocore.session.get_session().get_service_model("lambda")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to Lambda.

    Attributes:
        operation: the operation, for example Invoke.
        parameters: the parameters by the model's names, without the body.
        http: the request itself.
    """

    operation: str
    parameters: Mapping[str, Any]
    http: Request


def read(request: Request, name: str) -> ApiRequest:
    """Return a request for an operation, with its parameters.

    Raises:
        ApiError: there is no such operation, or the model does not allow a parameter.
    """
    if not name:
        missing = f"{request.method} {request.path} is no operation of Lambda"
        raise ApiError("UnknownOperationException", missing, HTTPStatus.NOT_FOUND)
    asked = model().operation_model(name)
    given = dict(_given(asked, request))
    faults = [
        f"Value '{given[member]}' at '{member[0].lower()}{member[1:]}' failed to satisfy "
        f"constraint: {constraint}"
        for member in given.keys() - _FREE
        for constraint in _broken(asked.input_shape.members[member], given[member])
    ]
    if faults:
        count = f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected"
        raise ApiError("ValidationException", f"{count}: {'; '.join(faults)}")
    return ApiRequest(name, given, request)


def _given(asked: OperationModel, request: Request) -> Iterator[tuple[str, Any]]:
    """Yield the parameters in the path, the query and the headers."""
    path = request.environ["REQUEST_URI"].partition("?")[0]
    form = asked.http["requestUri"].partition("?")[0].rstrip("/")
    in_path = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", form) + "/?", path)
    for member, shape in (asked.input_shape.members if asked.input_shape else {}).items():
        place = shape.serialization.get("location")
        name = shape.serialization.get("name", member)
        if place == "uri" and in_path:
            yield member, unquote(in_path[name])
        elif place == "querystring" and name in request.args:
            values = request.args.getlist(name)
            yield member, values if shape.type_name == "list" else _typed(shape, values[0])
        elif place == "header" and name in request.headers:
            yield member, request.headers[name]


def _typed(shape: Shape, text: str) -> bool | int | str | datetime:
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name == "integer":
        return int(text)
    return parse_timestamp(text) if shape.type_name == "timestamp" else text


def _broken(shape: Shape, value: object) -> Iterator[str]:
    """Yield the model's constraints that a value breaks."""
    limits = shape.metadata
    if isinstance(value, list):
        yield from (broken for item in value for broken in _broken(shape.member, item))
        return
    if "pattern" in limits and not re.fullmatch(limits["pattern"], str(value)):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
    size = len(value) if isinstance(value, str) else value
    kind = "length" if isinstance(value, str) else "value"
    if "max" in limits and limits["max"] < size:
        yield f"Member must have {kind} less than or equal to {limits['max']}"
    if "min" in limits and limits["min"] > size:
        yield f"Member must have {kind} greater than or equal to {limits['min']}"
