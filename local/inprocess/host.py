"""The host of threads: it loads the functions' and the worker's code into this process."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Self
from unittest import mock

from aws_durable_execution_sdk_python.lambda_service import LambdaClient
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from local.ecs.container import CannotStartError, bare
from local.inprocess.container import ThreadContainer
from local.inprocess.identity import current, inherited, trace_header
from local.inprocess.sandbox import ThreadSandbox
from local.journal import Line
from local.processes import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

    from boto3 import Session

    from local.ecs.container import Container
    from local.ecs.program import Program
    from local.functions import Configuration
    from local.functions.sandbox import Sandbox
    from local.gateway import Caller
    from local.processes import Processes
    from local.surroundings import Surroundings

# The worker's command: the template's, or its image's own.
_WORKERS = {("python", "-m", "worker"), ()}


# A failed execution reports its error itself, so the SDK's log is not shown.
logging.getLogger("aws_durable_execution_sdk_python").addHandler(logging.NullHandler())


_alone = threading.Lock()


class ThreadHost:
    """Starts threads. All functions share this process's environment, modules and clients.

    A process can have one at a time. It is a context manager that leaves the process as it was.

    Args:
        code: the folder of the functions' and the worker's code.
        surroundings: the surroundings in which they run.
        session: the boto3 session of their clients.
    """

    # On few cores more threads do no more work, and each one keeps memory of its own.
    concurrency = 16

    def __init__(self, code: Path, surroundings: Surroundings, session: Session) -> None:
        self._code, self._surroundings, self._session = code, surroundings, session
        self._cleanup = ExitStack()
        self._starting = threading.Lock()
        self._processes: Processes | None = None

    def __enter__(self) -> Self:
        """Start cold: modules that were loaded before are loaded anew.

        Raises:
            RuntimeError: another host is in this process.
        """
        if not _alone.acquire(blocking=False):
            raise RuntimeError("Only one System(in_process=True) at a time can be in a process.")
        self._cleanup.callback(_alone.release)
        enter = self._cleanup.enter_context
        enter(inherited())
        enter(mock.patch.dict(os.environ, self._environment()))
        enter(mock.patch.object(sys, "path", [str(self._code), *sys.path]))
        enter(_forgotten(self._code))
        enter(mock.patch("boto3.DEFAULT_SESSION", self._session))
        # The SDK keeps one client for the process's life, with the last system's endpoint.
        enter(mock.patch.object(LambdaClient, "_cached_boto_client", None))
        # Lambda gives a process one event at a time. Here a thread may log as another adds a key.
        enter(mock.patch.object(LambdaPowertoolsFormatter, "append_keys", _append_keys))
        enter(mock.patch.object(LambdaPowertoolsFormatter, "clear_state", _clear_state))
        # The code reads AWS's time here, and waits for it.
        calendar, clock = self._surroundings.calendar, self._module("adapters.clock")
        enter(mock.patch.multiple(clock, now=calendar.now, sleep=calendar.sleep))
        enter(mock.patch.object(self._module("worker.work"), "time", calendar))
        lines = _Lines(self._surroundings)
        enter(mock.patch.object(self._module("adapters.metrics"), "write", lines.write))
        enter(mock.patch.object(self._module("adapters.traces"), "header", trace_header.get))
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the process as it was."""
        self._cleanup.close()

    def function(
        self,
        configuration: Configuration,
        _environment: Mapping[str, str],
        caller: Caller,
        _on_line: Callable[[str], None],
    ) -> Sandbox:
        """Start a sandbox of a function; all share one environment, and log to the journal."""
        module, _, name = configuration.handler.rpartition(".")
        handler = getattr(self._module(module), name)
        return ThreadSandbox(configuration.name, handler, caller, self._surroundings.machine)

    def container(
        self,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
        program: Program,
    ) -> Container:
        """Start a worker, which logs to the journal; any other program is a process.

        Raises:
            CannotStartError: the worker's image would run another command than its own.
        """
        if not program.is_worker:
            container = bare(self._own_processes(), environment, on_line, program.words)
            container.caller, caller.kill = caller, container.kill
            return container
        if program.command not in _WORKERS:
            raise CannotStartError("In process the worker's image runs no command but its own.")
        perform = self._module("worker.process").perform
        work = self._module("worker.work").work
        return ThreadContainer(lambda: perform(work, environment), caller)

    def _own_processes(self) -> Processes:
        with self._starting:
            self._processes = self._processes or self._cleanup.enter_context(guarded())
            return self._processes

    def _module(self, name: str) -> ModuleType:
        module = importlib.import_module(name)
        lines = _Lines(self._surroundings)
        # Another thread may make loggers meanwhile, by an import.
        for logger in list(logging.root.manager.loggerDict.values()):
            # A logger of Powertools writes to a standard output that may be a test's.
            if getattr(logger, "init", False) and isinstance(logger, logging.Logger):
                for handler in logger.handlers:
                    if isinstance(handler, logging.StreamHandler):
                        handler.setStream(lines)
        return module

    def _environment(self) -> dict[str, str]:
        functions = self._surroundings.stack.of_type("AWS::Lambda::Function").values()
        given = [function["Environment"]["Variables"] for function in functions]
        merged = {name: str(value) for variables in given for name, value in variables.items()}
        # The thread shows who asks. These credentials only keep botocore from looking for others.
        credentials = self._surroundings.callers.person.credentials
        return {**merged, **self._surroundings.variables, **credentials}


class _Lines(io.TextIOBase):
    """Writes log lines to the journal, each under the name of its thread's caller."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__()
        self._surroundings = surroundings
        functions = surroundings.stack.of_type("AWS::Lambda::Function").values()
        self._functions = {function["FunctionName"] for function in functions}

    def write(self, text: str) -> int:
        """Take a line and its end."""
        caller = current.get()
        for line in filter(None, text.split("\n")):
            about = (caller.name, line, caller.execution_id) if caller else ("", line)
            if caller and caller.name in self._functions:
                self._surroundings.metrics.take(line)
            self._surroundings.journal.write(Line(*about))
        return len(text)


def _append_keys(formatter: LambdaPowertoolsFormatter, **keys: object) -> None:
    formatter.log_format = {**formatter.log_format, **keys}


def _clear_state(formatter: LambdaPowertoolsFormatter) -> None:
    formatter.log_format = {**dict.fromkeys(formatter.log_record_order), **formatter.keys_combined}


@contextmanager
def _forgotten(code: Path) -> Iterator[None]:
    """Forget the modules of a folder, and restore them afterwards."""
    names = {path.name for path in code.iterdir() if path.is_dir()}
    loaded = {k: v for k, v in sys.modules.items() if k.partition(".")[0] in names}
    for name in loaded:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]
    sys.modules.update(loaded)
