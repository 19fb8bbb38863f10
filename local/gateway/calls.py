"""What a request asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import botocore.session

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

# Services that tell an operation by its path, whatever a request's target says. People alone call
# the other ones of this kind.
_BY_PATH = frozenset({"lambda", "xray"})


@dataclass(frozen=True, slots=True)
class Call:
    """One API call.

    Attributes:
        caller: name of the function or task family that calls; "user" for a person.
        execution_id: of the execution that it is made for, where that is known.
        service: as signed for, such as "dynamodb".
        operation: as in the service's model, such as "UpdateItem"; "" if there is none like it.
        number: which call of its invocation this is, from 1; 0 for a user's.
    """

    caller: str
    execution_id: str | None
    service: str
    operation: str
    number: int


def operation(request: Request, service: str) -> str:
    """Return the name of the operation that a request is for; "" if it cannot be told."""
    if service not in _BY_PATH:
        return request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    path = request.environ["REQUEST_URI"].partition("?")[0]
    paths = _paths(service)
    return next((name for method, form, name in paths if _is(request, method, form, path)), "")


def _is(request: Request, method: str, form: re.Pattern[str], path: str) -> bool:
    return request.method == method and form.fullmatch(path) is not None


@cache
def _paths(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return method, path and name of the operations of a service that has paths."""
    model = botocore.session.get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        form = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(http["requestUri"].partition("?")[0]))
        found.append((http["method"], re.compile(f"{form}/?"), name))
    return found
