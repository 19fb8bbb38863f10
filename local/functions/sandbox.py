"""Sandboxes: the places where a function's code runs, one event at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.functions.configuration import Configuration
    from local.gateway import Caller


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of an invocation.

    Attributes:
        payload: the result as JSON or, with an error, errorType and errorMessage.
        error: "Unhandled" where the function failed, as Lambda's FunctionError; else None.
    """

    payload: bytes
    error: str | None = None


def failure(kind: str, message: str) -> Answer:
    """Return the answer that Lambda gives for a function that failed."""
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


class Sandbox(Protocol):
    """Runs a function until it is killed.

    Attributes:
        caller: the caller by which its calls are known.
    """

    caller: Caller

    @property
    def pid(self) -> int | None:
        """The id of its process; None if it has no process of its own."""

    @property
    def is_alive(self) -> bool:
        """Whether it can take another event."""

    def invoke(self, event: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Run one event to its end, or to the end of the sandbox.

        Args:
            event: the event's JSON.
            headers: the Runtime API's headers for the event, without the deadline.
            timeout: the function's timeout, in seconds; the sandbox is killed then.
        """

    def kill(self) -> None:
        """End it in the middle of its work; `close` waits for the end."""

    def close(self) -> None:
        """End it at once."""


class FunctionHost(Protocol):
    """Starts sandboxes.

    Attributes:
        concurrency: highest number of sandboxes of a function at a time.
    """

    concurrency: int

    def function(
        self,
        configuration: Configuration,
        environment: Mapping[str, str],
        caller: Caller,
        on_line: Callable[[str], None],
        /,
    ) -> Sandbox:
        """Start a sandbox of a function."""
