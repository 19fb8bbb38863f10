"""A container's process: environment in, work, result out, exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from worker import report
from worker.assignment import Assignment
from worker.fetch import NOT_FETCHED
from worker.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    Work = Callable[[Assignment], object]

_SIGNALLED = 128


class TerminatedError(SystemExit):
    """SIGTERM came. It is no `Exception`, so that the work's own handlers let it pass."""


class SimulatedFailureError(Exception):
    """The payload's `simulate` asked for this failure."""


def run(work: Work) -> NoReturn:
    """Do the work that the container's variables ask for, and report it.

    It ends the process with the exit code, so that a caller cannot forget to.

    Args:
        work: takes the assignment, and returns a JSON value.
    """
    # Process 1 of a container has no default action for SIGTERM.
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(perform(work, os.environ))


def perform(work: Work, environment: Mapping[str, str]) -> int:
    """Do the work that an environment asks for and report it; return the exit code."""
    assignment = Assignment.read(environment)
    logger.set_correlation_id(assignment.execution_id)
    try:
        logger.info("Work started", extra={"pid": os.getpid(), "attempt": assignment.attempt})
        _deliver(work, assignment)
        logger.info("Work finished")
    except TerminatedError:
        # ECS reports why the task is stopped, so nothing is written to the record.
        logger.warning("Stopped by SIGTERM")
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the work is anybody's code
        return _failed(assignment, error)
    return 0


def _deliver(work: Work, assignment: Assignment) -> None:
    with report.progress_of(assignment):
        found = work(assignment)
    text = report.encoded(found)
    if assignment.exit_code:
        raise SimulatedFailureError(f"asked to exit with code {assignment.exit_code}")
    if assignment.tells_result:
        report.result(assignment, text)


def _failed(assignment: Assignment, error: BaseException) -> int:
    exit_code = _unreserved(assignment.exit_code or _own_code(error) or 1)
    logger.error("Work failed", exc_info=error, extra={"exitCode": exit_code})
    if assignment.tells_end:
        try:
            report.failure(assignment, error, exit_code)
        # No error here may hide the work's own: the exit code still reports that one.
        except Exception:
            logger.exception("Failure not recorded")
    return exit_code


def _unreserved(exit_code: int) -> int:
    """Return the code, but 1 for the reserved one, after which work counts as never begun."""
    if exit_code != NOT_FETCHED:
        return exit_code
    logger.warning(
        "Exit code %d is reserved for a container without its code: exiting with 1", exit_code
    )
    return 1


def _own_code(error: BaseException) -> int:
    """Return the code of a `sys.exit` in the work, as a process ends with it; 0 for none."""
    code = error.code if isinstance(error, SystemExit) else None
    # An exit code has eight bits: 256 would end as a success.
    return code & 0xFF if isinstance(code, int) else 0


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise TerminatedError(_SIGNALLED + number)
