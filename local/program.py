"""The common parts of the programs of the local system: options, their start, their end."""

from __future__ import annotations

import argparse
import errno
import math
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from local.exits import exit_code
from local.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from local.system import System

PROJECT = Path(__file__).parent.parent
_LAST_PORT = 2**16 - 1
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Profiles of the AWS CLI's user. Nothing here calls AWS, so a missing profile does no harm.
_PROFILE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_CONFIGURATION = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


class RefusedError(Exception):
    """A program cannot do its work; the message says why, and what to do."""


class _InterruptedError(SystemExit):
    """A signal asks the program to end."""


class _Parser(argparse.ArgumentParser):
    """Parses options, and prints no usage line: most people call make."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}\n")


def run(main: Callable[[], int]) -> NoReturn:
    """Run a program and exit; a signal or a wrong request shows no traceback."""
    for number in _ENDING:
        signal.signal(number, _interrupt)
    # The streams are missing if the shell has closed them (`>&-`).
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    try:
        code = main()
    except RefusedError as refused:
        write(sys.stderr, str(refused))
        code = 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _silence(sys.stdout)
        write(sys.stderr, f"Nothing more can be written: {error.strerror}.")
        code = 1
    except _InterruptedError:
        write(sys.stderr, "Interrupted.")
        raise
    sys.exit(code)


def write(stream: TextIO, text: str) -> None:
    """Write a text for people; to a closed terminal or pipe, write nothing more."""
    try:
        stream.write(printable(text.rstrip("\n")) + "\n")
        stream.flush()
    except OSError:
        _silence(stream)


def parser(name: str, purpose: str | None, time_scale: float) -> argparse.ArgumentParser:
    """Return a parser of the options that all programs have: a template and a time scale.

    Args:
        name: the module's name.
        purpose: the text for `--help`.
        time_scale: the default time scale.
    """
    made = _Parser(prog=f"python -m {name}", description=purpose)
    made.add_argument(
        "--template", type=_file, default=PROJECT / "template.yaml", help="what to run"
    )
    made.add_argument(
        "--time-scale",
        type=_time_scale,
        default=time_scale,
        help="how much faster than in AWS tasks come and go, and failed events come again",
    )
    return made


def port(text: str) -> int:
    """Read an option's port.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if text.isdecimal() and int(text) <= _LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"A port is a whole number from 1 to {_LAST_PORT}, or 0 for a free one, not {text!r}."
    )


def count(text: str) -> int:
    """Read an option's number of things.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"A whole number from 1 is expected, not {text!r}.")


@contextmanager
def started(
    template: Path, time_scale: float, port: int = 0, *, durable_scale: float = 1
) -> Iterator[System]:
    """Provide the system; see `System` for the arguments.

    Raises:
        RefusedError: it cannot start, for a reason that a person can mend.
    """
    os.environ |= dict.fromkeys(_CONFIGURATION, os.devnull)
    for name in _PROFILE:
        os.environ.pop(name, None)
    # The import takes seconds, and a signal has to work meanwhile.
    from local.errors import TemplateError  # noqa: PLC0415 - see above
    from local.system import System  # noqa: PLC0415 - see above

    try:
        system = System(template, time_scale=time_scale, durable_scale=durable_scale, port=port)
    except TemplateError as error:
        raise RefusedError(f"{template} cannot be run here: {error}") from error
    except OSError as error:
        raise RefusedError(f"The local system cannot start: {error}") from error
    with system:
        yield system


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    # Only the first signal counts: a second one would interrupt the end of the processes.
    for each in _ENDING:
        signal.signal(each, lambda *_: None)
    raise _InterruptedError(exit_code(number))


def _silence(stream: TextIO) -> None:
    """Send a stream's output nowhere.

    Otherwise Python would fail once more at its end, with the text that is still in its buffer.
    """
    with _nowhere() as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def _file(text: str) -> Path:
    path = Path(text)
    if path.is_file():
        return path
    found = "is not a file" if path.exists() else "is not there"
    raise argparse.ArgumentTypeError(f"A template's file is expected; {text} {found}.")


def _time_scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if 1 <= scale < math.inf:
        return scale
    raise argparse.ArgumentTypeError(
        f"A time scale is a number from 1, how much faster time passes than in AWS, not {text!r}."
    )
