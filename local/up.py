"""Keep the local system running until Ctrl-C or `make down`, and print how to use it."""

from __future__ import annotations

import os
import queue
import shlex
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.greeting import exports, greeting, pace_notice, worker_notice
from local.note import Note
from local.port import PortError, listen
from local.program import PROJECT, RefusedError, parser, port, run, started, write
from local.proxies import without_proxy

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from local.note import Running

PORT = 4500
FOLDER = PROJECT / ".local"
# Far longer than the end of every process takes, on a slow machine too.
_PATIENCE = 300
_LOOK_SECONDS = 0.5


def main() -> int:
    """Do what the command line asks for; return the exit code."""
    options = _options()
    note = Note(options.folder)
    if options.down:
        return _down(note)
    if options.env:
        return _env(note)
    return _up(note, options)


def _up(note: Note, options: argparse.Namespace) -> int:
    stop = _asked_to_stop()
    _begin(note, options.port)
    with started(options.template, options.time_scale, options.port) as system:
        variables = system.variables
        functions = [function.configuration for function in system.functions.values()]
        note.write(variables)
        if not stop.is_set():
            name, image = system.stack.name, system.stack.worker_image
            notices = [pace_notice(options.time_scale), *worker_notice(image)]
            write(sys.stdout, greeting(name, notices, variables, functions, _words(note)))
        told = 0
        # A wait without a limit would miss a signal that another thread gets.
        while not stop.wait(_LOOK_SECONDS):
            refused = system.authority.refused()
            for message in refused[told:]:
                write(sys.stderr, message)
            told = len(refused)
    write(sys.stdout, "Stopped.")
    return 0


def _asked_to_stop() -> threading.Event:
    """Return an event that is set by a signal to end; the signal also prints that it ends."""
    stop = threading.Event()
    # A signal handler runs in the middle of anything; it may always put into this queue.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()

    def listen() -> None:
        signals.get()
        write(sys.stdout, "Stopping: all that has been started is ended.")
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    # The handler raises nothing: things that are just being started could not be ended then.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: signals.put(number))
    return stop


def _begin(note: Note, port: int) -> None:
    """Leave a note, unless a system is up or its port is taken."""
    with _noted():
        if not note.take():
            raise RefusedError(
                f"The local system is up already. `make env{_words(note)}` prints how to use it, "
                f"`make down{_words(note)}` stops it."
            )
    try:
        # The error comes now, not after the seconds that the start takes.
        listen(port).close()
    except PortError as error:
        raise RefusedError(str(error)) from error
    with _noted():
        note.write({})


def _down(note: Note) -> int:
    running = _read(note)
    if running is None:
        write(sys.stdout, "No local system is up.")
        return 0
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    if not note.wait(_PATIENCE):
        raise RefusedError(f"Process {running.pid} has not ended within {_PATIENCE} s.")
    write(sys.stdout, "Stopped.")
    return 0


def _env(note: Note) -> int:
    running = _read(note)
    if running is None:
        raise RefusedError(
            "No local system is up, so nothing is exported: `aws` would go where it went "
            f"before, as a rule to AWS. To start one: make up{_words(note)}"
        )
    if not running.variables:
        raise RefusedError(
            "The local system is still starting, so nothing is exported. Retry in a few seconds."
        )
    # The shell's own hosts without a proxy stay.
    write(sys.stdout, exports({**running.variables, **without_proxy(os.environ)}))
    return 0


def _words(note: Note) -> str:
    """Return the words after a make target's name with which it finds this note."""
    return "" if note.folder == FOLDER else f" FOLDER={shlex.quote(str(note.folder))}"


def _read(note: Note) -> Running | None:
    with _noted():
        return note.read()


@contextmanager
def _noted() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RefusedError(
            f"The note of the local system cannot be kept: {error}. "
            "Choose another folder for it: FOLDER=path"
        ) from error


def _options() -> argparse.Namespace:
    options = parser("local.up", __doc__, time_scale=1)
    task = options.add_mutually_exclusive_group()
    task.add_argument("--down", action="store_true", help="stop the system that is up")
    task.add_argument("--env", action="store_true", help="print what a shell exports to use it")
    options.add_argument("--port", type=port, default=PORT, help="where it answers; 0: a free one")
    options.add_argument("--folder", type=Path, default=FOLDER, help="where its note is kept")
    return options.parse_args()


if __name__ == "__main__":
    run(main)
