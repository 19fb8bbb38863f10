"""The call that a request asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import botocore.session

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from werkzeug.wrappers import Request

# Services whose operation is in the path, whatever a request's target says. Only people call other
# services of this kind.
_BY_PATH = frozenset({"lambda", "s3", "xray"})
_ONE, _REST = "[^/]+", ".+"


@dataclass(frozen=True, slots=True)
class Call:
    """One API call.

    Attributes:
        caller: name of the function or task family that calls; "user" for a person.
        execution_id: id of the execution that it is made for, where that is known.
        service: the service, as in the signature, for example "dynamodb".
        operation: the operation, as in the service's model, for example "UpdateItem"; "" if the
            model has none like it.
        number: number of the call within its invocation, from 1; 0 for a user's.
    """

    caller: str
    execution_id: str | None
    service: str
    operation: str
    number: int


def operation(request: Request, service: str) -> str:
    """Return the name of a request's operation; "" if it is not known."""
    if service not in _BY_PATH:
        return request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    path = request.environ["REQUEST_URI"].partition("?")[0]
    at_path = [form for form in _forms(service) if form.is_at(request.method, path)]
    if len(at_path) == 1:
        return at_path[0].name
    # S3 has dozens of operations at one path. The one that needs most of the given names is meant.
    came = {*request.args, *(f"{name}={value}" for name, value in request.args.items())}
    came |= {name.lower() for name, _ in request.headers}
    fitting = [form for form in at_path if form.needs <= came]
    return max(fitting, key=lambda form: len(form.needs)).name if fitting else ""


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of an operation's requests.

    Attributes:
        name: the operation's name.
        method: the HTTP method.
        path: pattern of the whole path.
        needs: the names, and pairs `name=value`, without which it is another operation.
    """

    name: str
    method: str
    path: re.Pattern[str]
    needs: frozenset[str]

    def is_at(self, method: str, path: str) -> bool:
        """Whether its requests have this method and this path."""
        return self.method == method and self.path.fullmatch(path) is not None


@cache
def _forms(service: str) -> list[_Form]:
    """Return the forms of a service's operations, for a service whose operations have paths."""
    model = botocore.session.get_session().get_service_model(service)
    return [_form(model.operation_model(name)) for name in model.operation_names]


def _form(asked: OperationModel) -> _Form:
    path, _, query = asked.http["requestUri"].partition("?")
    pattern = re.sub(
        r"\\\{[^}]+\\\}", lambda name: _REST if "+" in name[0] else _ONE, re.escape(path)
    )
    needs = set(filter(None, query.split("&")))
    for name in asked.input_shape.required_members if asked.input_shape else ():
        place = asked.input_shape.members[name].serialization
        if place.get("location") in {"querystring", "header"}:
            needs.add(place["name"].lower() if place["location"] == "header" else place["name"])
    return _Form(asked.name, asked.http["method"], re.compile(f"{pattern}/?"), frozenset(needs))
