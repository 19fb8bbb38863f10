"""The payload: each field is described once here, with its bounds, and read by them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, get_args

import msgspec
from msgspec import Meta, Struct

from core.outcome import NOT_FETCHED
from core.polling import MAX_POLL_SECONDS
from core.retry import DEFAULT_ATTEMPTS, MAX_ATTEMPTS, ONCE, OnDemand, Policy

if TYPE_CHECKING:
    from core.flow import Flow
    from core.job import Job

MAX_EXIT_CODE = 255
_MAX_SHOWN = 200
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_INDEX = re.compile(r"\[[^]]*\]")
_TYPES = re.compile(r"`(?P<names>[^`]+)`")
# What msgspec calls them, and what people do.
_WORDS = {"int": "a whole number", "str": "text", "object": "an object", "array": "a list"}
_MESSAGE = "MESSAGE"
_RESERVED = f"{NOT_FETCHED} says that a container did not get its code"
_RETRY_ON = (
    f"a list of any of {', '.join(get_args(OnDemand))} and exit codes from 1 to {MAX_EXIT_CODE} "
    f"but {NOT_FETCHED} (0 is a success; {_RESERVED}, and is retried unasked)"
)


class InvalidRequestError(ValueError):
    """The payload cannot be run; nothing was started.

    Attributes:
        field: dotted name of the field at fault, "payload" for the whole.
        value: what came, shortened to 200 characters.
        expected: what would have been accepted.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field, self.value, self.expected = field, _shown(value), expected
        super().__init__(f"{field}: expected {expected}, got {self.value}. No task was started.")


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
        _check_names(payload, kind, "")
        if isinstance(payload.get("simulate"), dict):
            _check_names(payload["simulate"], Simulation, "simulate.")
    try:
        given = msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise _explained(payload, str(error)) from None
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


def _check_names(given: dict[str, object], kind: type[Struct], path: str) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in (name for name in given if name not in fields):
        known = f"one of the fields {', '.join(fields)}{_elsewhere(name)}"
        readable = name.encode(errors="backslashreplace").decode() or '""'
        raise InvalidRequestError(f"{path}{readable}", given[name], known)
    for name, field in fields.items():
        if field.required and name not in given:
            raise InvalidRequestError(f"{path}{name}", None, "a value, for it has no default")


def _elsewhere(name: str) -> str:
    """Return why a field is unknown that other flows know; nothing for any other name."""
    for kind, flows in (
        (_AwaitedPayload, "only flows that wait for their task take"),
        (_PolledPayload, "only the polling flow takes"),
    ):
        if name in {field.encode_name for field in msgspec.structs.fields(kind)}:
            return f" ({flows} {name})"
    return ""


def _explained(payload: object, message: str) -> InvalidRequestError:
    """Turn msgspec's message into one that also shows the value."""
    located = _PATH.search(message)
    path = _INDEX.sub("", located["path"]) if located else ""
    complaint = message[: located.start()] if located else message
    value = payload
    for name in filter(None, path.split(".")):
        value = value[name] if isinstance(value, dict) else value
    expected = complaint.removeprefix("Expected ").partition(", got")[0]
    expected = _TYPES.sub(_words, expected)
    if path == "retryOn":
        expected = _RETRY_ON
    return InvalidRequestError(path or "payload", value, expected)


def _words(types: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types["names"].split(" | "))


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


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        return "a value that is nested too deeply to be shown"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text)} characters)"
