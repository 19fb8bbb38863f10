"""Chained invokes: a durable function invokes another function, and sleeps until it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.child_dispatcher import (
    ChildDispatcher,
    ChildOutcome,
    RunInvocation,
    StartChild,
    failed_to_start,
    function_not_found,
    parse_function_target,
    result_outcome,
)
from typing_extensions import override

from local.durable import function_error
from local.durable.start import start_of, trace_of
from local.functions.configuration import LATEST, UNQUALIFIED
from local.iam.authority import DeniedError
from local.iam.requests import invocation
from local.nesting import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_durable_execution_sdk_python_testing.child_dispatcher import (
        ChainedInvokeRequest,
        DispatchResult,
        FunctionTarget,
    )

    from local.functions import Function
    from local.iam.authority import Authority
    from local.xray import Trace


class Children(ChildDispatcher):
    """Makes an execution, or one invocation, of each chained invoke."""

    def __init__(self, functions: Mapping[str, Function], authority: Authority) -> None:
        self._functions, self._authority = functions, authority

    @override
    def preflight(self, target: FunctionTarget) -> ChildOutcome | None:
        """Return the error of a function that cannot be invoked; None if it can."""
        function = self._functions.get(target.name)
        if function is None or not function.configuration.version(target.qualifier or LATEST):
            return function_not_found(target.name).outcome
        if target.qualifier is None and function.configuration.execution_timeout is not None:
            return failed_to_start(UNQUALIFIED, "InvalidParameterValueException").outcome
        return None

    @override
    def dispatch(self, request: ChainedInvokeRequest) -> DispatchResult:
        """Return the start of a durable function's execution, or a plain one's invocation."""
        function, qualifier = self._functions[request.function_name], request.child_qualifier()
        configuration, payload = function.configuration, request.payload or "{}"
        trace = trace_of(request.trace_fields).child()
        try:
            self._check(request)
        except DeniedError as error:
            return failed_to_start(str(error), "AccessDeniedException")
        try:
            read(payload)
        except ValueError as error:
            unread = f"Could not parse request body into json: {error}"
            return failed_to_start(unread, "InvalidRequestContentException")
        if configuration.execution_timeout is None:
            return RunInvocation(lambda: _invoke(function, qualifier, payload, trace))
        version = configuration.version(qualifier) or qualifier
        return StartChild(start_of(configuration, version, payload, trace))

    def _check(self, request: ChainedInvokeRequest) -> None:
        """Let the parent invoke the function that it names, if its role allows that."""
        arn = request.parent_execution_arn.partition("/")[0]
        parent = self._functions[parse_function_target(arn).name]
        asked = invocation(request.function_name, request.qualifier, self._authority.place)
        self._authority.check(parent.configuration.session, asked)


def _invoke(function: Function, qualifier: str, payload: str, trace: Trace) -> ChildOutcome:
    _, answer = function.invoke(payload.encode(), qualifier, trace)
    if answer.error:
        return ChildOutcome(error=function_error.read(answer.payload))
    return result_outcome(answer.payload.decode())
