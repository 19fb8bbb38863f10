"""The catalogue of functions: it finds them, and answers requests about them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.child_dispatcher import parse_function_target

from local.errors import ApiError
from local.functions.configuration import LATEST
from local.lambda_request import model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import Shape

    from local.functions import Function
    from local.lambda_request import ApiRequest


class Catalogue:
    """Answers requests about functions, their versions and aliases.

    Attributes:
        operations: its answers, by the operation's name.
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        self._revision = str(uuid.uuid4())
        self.operations: dict[str, Callable[[ApiRequest], dict[str, Any]]] = {
            "GetAlias": self._alias,
            "GetFunction": self._with_code,
            "GetFunctionConfiguration": self._configuration,
            "ListAliases": self._aliases,
            "ListFunctions": self._all,
            "ListVersionsByFunction": self._versions,
        }

    def find(self, asked: ApiRequest) -> tuple[Function, str | None]:
        """Return the function that a request names, and the qualifier if it names one.

        Raises:
            ApiError: there is no such function, version or alias.
        """
        given = str(asked.parameters["FunctionName"])
        try:
            target = parse_function_target(given)
        except ValueError as error:
            raise _missing(f"Function not found: {given}") from error
        name, qualifier = target.name, asked.parameters.get("Qualifier", target.qualifier)
        if target.qualifier and target.qualifier != qualifier:
            unlike = "The derived qualifier from the function name does not match the specified"
            raise ApiError("InvalidParameterValueException", f"{unlike} qualifier.")
        function = self._functions.get(name)
        if function is None or (qualifier and not function.configuration.version(qualifier)):
            raise _missing(f"Function not found: {name}:{qualifier or LATEST}")
        return function, qualifier

    def _with_code(self, asked: ApiRequest) -> dict[str, Any]:
        return {"Configuration": self._configuration(asked), "Code": {"RepositoryType": "S3"}}

    def _configuration(self, asked: ApiRequest) -> dict[str, Any]:
        return self._described(*self.find(asked))

    def _all(self, _: ApiRequest) -> dict[str, Any]:
        return {"Functions": [self._described(f, None) for f in self._functions.values()]}

    def _versions(self, asked: ApiRequest) -> dict[str, Any]:
        function, _ = self.find(asked)
        versions = [LATEST, *sorted(set(function.configuration.aliases.values()))]
        return {"Versions": [self._described(function, version) for version in versions]}

    def _alias(self, asked: ApiRequest) -> dict[str, Any]:
        function, _ = self.find(asked)
        name = asked.parameters["Name"]
        if name not in function.configuration.aliases:
            raise _missing(f"Alias not found: {function.configuration.arn}:{name}")
        return self._alias_of(function, name)

    def _aliases(self, asked: ApiRequest) -> dict[str, Any]:
        function, _ = self.find(asked)
        names = function.configuration.aliases
        return {"Aliases": [self._alias_of(function, name) for name in names]}

    def _alias_of(self, function: Function, name: str) -> dict[str, Any]:
        configuration = function.configuration
        return {
            "AliasArn": f"{configuration.arn}:{name}",
            "Name": name,
            "FunctionVersion": configuration.aliases[name],
            "Description": "",
            "RevisionId": self._revision,
        }

    def _described(self, function: Function, qualifier: str | None) -> dict[str, Any]:
        configuration = function.configuration
        shape = model().shape_for("FunctionConfiguration")
        arn = configuration.arn
        return {
            **_members(shape, configuration.properties),
            "FunctionArn": f"{arn}:{qualifier}" if qualifier else arn,
            "LastModified": self._since,
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "RevisionId": self._revision,
            "State": "Active",
            "Version": configuration.version(qualifier or LATEST),
        }


def _members(shape: Shape, properties: Mapping[str, object]) -> dict[str, object]:
    """Return CloudFormation's properties in the API's form: its members, in their types."""
    known = {name: shape.members[name] for name in properties if name in shape.members}
    return {name: _as_modelled(member, properties[name]) for name, member in known.items()}


def _as_modelled(shape: Shape, value: object) -> object:
    if isinstance(value, dict):
        if shape.type_name == "structure":
            return _members(shape, value)
        return {name: _as_modelled(shape.value, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_modelled(shape.member, item) for item in value]
    return int(str(value)) if shape.type_name == "integer" else str(value)


def _missing(message: str) -> ApiError:
    return ApiError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)
