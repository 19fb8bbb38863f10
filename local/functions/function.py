"""A Lambda function and its processes."""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING

from local.functions.configuration import Configuration
from local.functions.sandbox import failure
from local.functions.segments import Segments
from local.gateway import execution_of
from local.journal import Invocation
from local.nesting import TOO_DEEP, is_too_deep
from local.proxies import without_proxy
from local.xray import Trace

if TYPE_CHECKING:
    from local.functions.sandbox import Answer, FunctionHost, Sandbox
    from local.surroundings import Surroundings


class FunctionClosedError(Exception):
    """The system is stopping, so no process is started for the function."""


class Function:
    """Runs events, each in a process that runs no other event meanwhile.

    Attributes:
        configuration: the function's configuration.
    """

    def __init__(
        self, configuration: Configuration, host: FunctionHost, surroundings: Surroundings
    ) -> None:
        self.configuration = configuration
        self._host, self._surroundings = host, surroundings
        self._free = threading.BoundedSemaphore(host.concurrency)
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[Sandbox]] = defaultdict(list)
        self._sandboxes: list[Sandbox] = []
        self._closed = False

    def trace(self, header: str | None = None) -> Trace:
        """Return the trace for a new invocation, which the caller's trace header may name."""
        now = self._surroundings.calendar.now().timestamp()
        return Trace.of(header, now, is_traced=self.configuration.is_traced)

    def invoke(
        self, event: bytes, qualifier: str, trace: Trace | None = None
    ) -> tuple[str, Answer]:
        """Run an event in an idle process or a new one.

        Args:
            event: the event, as JSON.
            qualifier: a qualifier that `Configuration.version` knows.
            trace: the invocation's trace; None for a new one.

        Returns:
            The request's id and its answer.

        Raises:
            FunctionClosedError: the system is stopping.
        """
        name, version = self.configuration.name, self.configuration.version(qualifier)
        request_id = str(uuid.uuid4())
        segments = Segments(
            self.configuration, request_id, trace or self.trace(), self._surroundings
        )
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Invoked-Function-Arn": f"{self.configuration.arn}:{qualifier}",
            "Lambda-Runtime-Trace-Id": segments.header,
        }
        with self._free:
            sandbox = self._take(version or qualifier)
            sandbox.caller.begin(_execution_id(event))
            began = self._surroundings.calendar.now()
            segments.run()
            answer = sandbox.invoke(event, headers, self.configuration.timeout)
            if is_too_deep(answer.payload):
                answer = failure("Runtime.MarshalError", f"Unable to marshal response: {TOO_DEEP}")
            sandbox.caller.begin(None)
            self._idle[version or qualifier].append(sandbox)
        segments.end(answer)
        self._surroundings.metrics.invoked(name, began, failed=answer.error is not None)
        self._surroundings.journal.write(Invocation(name, request_id, answer.error))
        return request_id, answer

    def pids(self) -> list[int]:
        """Return the ids of the live processes."""
        with self._lock:
            alive = (sandbox.pid for sandbox in self._sandboxes if sandbox.is_alive)
            return [pid for pid in alive if pid is not None]

    def works_for(self, execution_id: str) -> bool:
        """Whether an invocation for an execution has not ended yet."""
        with self._lock:
            return any(s.caller.execution_id == execution_id for s in self._sandboxes)

    def close(self) -> None:
        """End all processes, and start no other."""
        with self._lock:
            self._closed = True
        for sandbox in self._sandboxes:
            sandbox.kill()
        for sandbox in self._sandboxes:
            sandbox.close()

    def _take(self, version: str) -> Sandbox:
        with self._lock:
            while self._idle[version]:
                sandbox = self._idle[version].pop()
                if sandbox.is_alive:
                    return sandbox
            if self._closed:
                raise FunctionClosedError(self.configuration.name)
            sandbox = self._start(version)
            # Dead processes that no invocation waits for are forgotten.
            kept = [s for s in self._sandboxes if s.is_alive or s.caller.execution_id]
            self._sandboxes = [*kept, sandbox]
            return sandbox

    def _start(self, version: str) -> Sandbox:
        configuration, surroundings = self.configuration, self._surroundings
        caller = surroundings.callers.new(configuration.name, configuration.role)
        environment = configuration.environment(version)
        group = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        log = surroundings.writer(
            configuration.session, group, stream, configuration.name, counts=True
        )
        environment |= surroundings.variables | caller.credentials | without_proxy(environment)
        environment |= {
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": surroundings.daemon,
        }
        return self._host.function(configuration, environment, caller, log)


def functions_of(surroundings: Surroundings, host: FunctionHost) -> dict[str, Function]:
    """Return the stack's functions by name."""
    stack, functions = surroundings.stack, {}
    aliases = stack.of_type("AWS::Lambda::Alias").values()
    configs = stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    for logical_id, properties in stack.of_type("AWS::Lambda::Function").items():
        name = properties["FunctionName"]
        configuration = Configuration(
            arn=stack.arn(logical_id),
            role=stack.role(properties.get("Role")),
            properties=properties,
            aliases={a["Name"]: a["FunctionVersion"] for a in aliases if a["FunctionName"] == name},
            code=stack.code(properties).resolve(),
            asynchronous=next((c for c in configs if c["FunctionName"] == name), {}),
        )
        functions[name] = Function(configuration, host, surroundings)
    return functions


def _execution_id(event: bytes) -> str | None:
    """Return the id of the execution that an event is about: to run it, or about its task."""
    given = json.loads(event)
    if not isinstance(given, dict):
        return None
    if arn := given.get("DurableExecutionArn"):
        return str(arn).rpartition("/")[2]
    detail = given.get("detail")
    if not isinstance(detail, dict):
        return None
    if arn := detail.get("durableExecutionArn"):
        return str(arn).rpartition("/")[2]
    return execution_of(detail.get("startedBy"))
