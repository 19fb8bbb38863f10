"""Lambda's API: each operation goes to the part of the local system that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.lambda_api.catalogue import Catalogue
from local.lambda_api.invocations import Invocations
from local.lambda_request import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request, Response

    from local.durable import DurableApi, Executions
    from local.functions import Function
    from local.functions.asynchronous import AsynchronousInvocations


class LambdaApi:
    """Answers Lambda's API for the stack's functions."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        executions: Executions,
        durable: DurableApi,
        asynchronous: AsynchronousInvocations,
    ) -> None:
        self._catalogue = Catalogue(functions)
        self._invocations = Invocations(executions, asynchronous)
        self._durable = durable

    def __call__(self, request: Request, operation: str) -> Response | dict[str, Any]:
        """Answer an operation."""
        asked = read(request, operation)
        if asked.operation == "Invoke":
            return self._invocations.invoke(*self._catalogue.find(asked), asked)
        if asked.operation == "ListDurableExecutionsByFunction":
            function, qualifier = self._catalogue.find(asked)
            known = self._durable.executions_of
            return known(function.configuration, qualifier, asked.parameters)
        if tell := self._catalogue.operations.get(asked.operation):
            return tell(asked)
        return self._durable(request)
