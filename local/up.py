"""Keep the local system running until Ctrl-C or `make down`, and say how to use it."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from local.greeting import exports, greeting
from local.note import Note

_PROJECT = Path(__file__).parent.parent
PORT = 4500
# Far more than it takes to end every process.
_PATIENCE = 60


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
    stop = threading.Event()
    # Not raised where it arrives: what is being started could not be ended then.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    if not note.take():
        return _refuse(
            "The local system is up already. `make env` prints how to use it, `make down` stops it."
        )
    if not _is_free(port := options.port):
        return _refuse(f"Port {port} is taken. Choose another: make up PORT={port + 1}")
    note.write({})
    _keep_up(note, options, stop)
    return 0


def _keep_up(note: Note, options: argparse.Namespace, stop: threading.Event) -> None:
    # `make down` and `make env` run without the libraries that this needs. Ctrl-C has to be heard
    # in the seconds that it takes.
    from local.system import System  # noqa: PLC0415 - see above

    scale = options.time_scale
    with System(options.template, time_scale=scale, port=options.port) as system:
        variables = system.variables
        functions = [function.configuration for function in system.functions.values()]
        note.write(variables)
        _say(greeting(system.stack.name, scale, variables, functions))
        stop.wait()
    _say("Stopped.")


def _down(note: Note) -> int:
    running = note.read()
    if running is None:
        _say("No local system is up.")
        return 0
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    if not note.wait(_PATIENCE):
        return _refuse(f"Process {running.pid} has not ended within {_PATIENCE} s.")
    _say("Stopped.")
    return 0


def _env(note: Note) -> int:
    running = note.read()
    if running is None or not running.variables:
        return _refuse("No local system is up. To start it: make up")
    _say(exports(running.variables))
    return 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server does: a port whose connections have just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _say(text: str) -> None:
    # A terminal that was closed hears nothing more.
    with suppress(OSError):
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.up", description=__doc__)
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--down", action="store_true", help="stop the system that is up")
    task.add_argument("--env", action="store_true", help="print what a shell exports to use it")
    parser.add_argument(
        "--template", type=Path, default=_PROJECT / "template.yaml", help="what to run"
    )
    parser.add_argument("--port", type=int, default=PORT, help="where it answers; 0: a free one")
    parser.add_argument(
        "--time-scale",
        type=float,
        default=1,
        help="how much faster than in AWS tasks come and go, and failed events come again",
    )
    parser.add_argument(
        "--folder", type=Path, default=_PROJECT / ".local", help="where its note is kept"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
