"""The payload: each field is described once here, with its bounds, and read by them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, get_args

from msgspec import Meta, Struct

from core.outcome import NOT_FETCHED
from core.polling import MAX_POLL_SECONDS
from core.reading import InvalidRequestError, check_names, check_required, convert, names
from core.retry import DEFAULT_ATTEMPTS, MAX_ATTEMPTS, ONCE, OnDemand, Policy

if TYPE_CHECKING:
    from core.flow import Flow
    from core.job import Job

MAX_EXIT_CODE = 255
_MESSAGE = "MESSAGE"
_RESERVED = f"{NOT_FETCHED} says that a container did not get its code"
_RETRY_ON = (
    f"a list of any of {', '.join(get_args(OnDemand))} and exit codes from 1 to {MAX_EXIT_CODE} "
    f"but {NOT_FETCHED} (0 is a success; {_RESERVED}, and is retried unasked)"
)


class Simulation(Struct, frozen=True, rename="camel"):
    """A failure asked for, to watch how it is reported.

    Attributes:
        exit_code: what the demo worker exits with instead of handing over its result; 0 for none.
    """

    exit_code: Annotated[int, Meta(ge=0, le=MAX_EXIT_CODE)]


class Payload(Struct, frozen=True, rename="camel"):
    """A payload's fields.

    Attributes:
        message: free text, handed to the container.
        processing_time: seconds the demo worker works.
        simulate: a failure asked for.
    """

    message: str = "No message provided"
    processing_time: Annotated[int, Meta(ge=0)] = 5
    timeout_seconds: Annotated[int, Meta(ge=1)] | None = None
    start_timeout_seconds: Annotated[int, Meta(ge=1)] | None = None
    simulate: Simulation | None = None

    @property
    def policy(self) -> Policy:
        """How often to try, and after what."""
        return ONCE

    @property
    def interval(self) -> int | None:
        """The fixed interval between checks; None for the growing one."""
        return None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the demo worker reads."""
        variables = {_MESSAGE: self.message, "PROCESSING_TIME": str(self.processing_time)}
        if self.simulate:
            variables["SIMULATE"] = json.dumps({"exitCode": self.simulate.exit_code})
        return variables


class _AwaitedPayload(Payload, frozen=True, rename="camel"):
    max_attempts: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] = DEFAULT_ATTEMPTS
    retry_on: frozenset[OnDemand | Annotated[int, Meta(ge=1, le=MAX_EXIT_CODE)]] = frozenset()

    @property
    def policy(self) -> Policy:
        """How often to try, and after what, as the payload says."""
        return Policy(self.max_attempts, self.retry_on)


class _PolledPayload(_AwaitedPayload, frozen=True, rename="camel"):
    poll_seconds: Annotated[int, Meta(ge=1, le=MAX_POLL_SECONDS)] | None = None

    @property
    def interval(self) -> int | None:
        """The interval that the payload asks for; None for the growing one."""
        return self.poll_seconds


def read(payload: object, flow: Flow) -> Payload:
    """Read a payload's fields, each within its own type and bounds.

    Args:
        payload: the invocation's event, as JSON gave it.
        flow: the flow it is for; `pollSeconds` belongs to polling alone, `maxAttempts` and
            `retryOn` to the flows that wait for their task.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    kind = _kind(flow)
    if isinstance(payload, dict):
        check_names(payload, names(kind), _elsewhere)
        if isinstance(failure := payload.get("simulate"), dict):
            check_names(failure, names(Simulation), path="simulate.")
            check_required(failure, Simulation, "simulate.")
    try:
        given = convert(payload, kind, {"retryOn": _RETRY_ON})
    except UnicodeEncodeError:
        raise InvalidRequestError("payload", payload, "text without lone surrogates") from None
    _check_exit_codes(given)
    return given


def check(given: Payload, timeout_seconds: int) -> None:
    """Refuse what does not fit into an attempt's time, and a message that no container can get.

    Args:
        given: as `read` returned it.
        timeout_seconds: how long an attempt may take.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    if given.processing_time > timeout_seconds:
        raise InvalidRequestError(
            "processingTime",
            given.processing_time,
            f"at most timeoutSeconds ({timeout_seconds} s)",
        )
    start = given.start_timeout_seconds
    if start is not None and start > timeout_seconds:
        raise InvalidRequestError(
            "startTimeoutSeconds", start, f"at most timeoutSeconds ({timeout_seconds} s)"
        )
    if "\0" in given.message or not _is_unicode(given.message):
        raise InvalidRequestError("message", given.message, "text without NUL or lone surrogates")


def check_length(job: Job, excess: int) -> None:
    """Refuse a job of which RunTask cannot tell its container.

    Args:
        job: with the variables of `Payload.environment`.
        excess: how many characters its longest request has too many.

    Raises:
        InvalidRequestError: names the field that has to be shorter, and the length that fits.
    """
    if excess > 0:
        text = job.environment[_MESSAGE]
        spare = len(json.dumps(text)) - excess
        raise InvalidRequestError(
            "message", text, f"at most {spare} characters when written as JSON"
        )


def _kind(flow: Flow) -> type[Payload]:
    if not flow.is_awaited:
        return Payload
    return _AwaitedPayload if flow.has_callback else _PolledPayload


def _elsewhere(name: str) -> str:
    """Return why a field is unknown that other flows know; nothing for any other name."""
    for kind, flows in (
        (_AwaitedPayload, "only flows that wait for their task take"),
        (_PolledPayload, "only the polling flow takes"),
    ):
        if name in names(kind):
            return f" ({flows} {name})"
    return ""


def _check_exit_codes(given: Payload) -> None:
    """Refuse the one exit code that no work ends with."""
    if isinstance(given, _AwaitedPayload) and NOT_FETCHED in given.retry_on:
        raise InvalidRequestError("retryOn", [NOT_FETCHED], _RETRY_ON)
    if given.simulate and given.simulate.exit_code == NOT_FETCHED:
        expected = f"a whole number from 0 to {MAX_EXIT_CODE} but {NOT_FETCHED} ({_RESERVED})"
        raise InvalidRequestError("simulate.exitCode", NOT_FETCHED, expected)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
