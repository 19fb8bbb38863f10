"""Lambda's API: which part of the local system answers what."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from local.errors import ApiError
from local.lambda_api.catalogue import Catalogue
from local.lambda_api.invocations import Invocations
from local.lambda_api.request import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

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

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return self._answer(request)
        except ApiError as error:
            return error.response

    def _answer(self, request: Request) -> Response:
        asked = read(request)
        if asked.operation == "Invoke":
            return self._invocations.invoke(*self._catalogue.find(asked), asked)
        if asked.operation == "ListDurableExecutionsByFunction":
            function, qualifier = self._catalogue.find(asked)
            known = self._durable.executions_of
            return _json(known(function.configuration, qualifier, asked.parameters))
        if tell := self._catalogue.operations.get(asked.operation):
            return _json(tell(asked))
        return self._durable(request)


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, default=datetime.timestamp), mimetype="application/json")
