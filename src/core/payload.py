"""The payload: each field is described here, once, with its bounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, field

from core.job import Capacity
from core.outcome import NOT_FETCHED
from core.polling import MAX_POLL_SECONDS
from core.reading import (
    InvalidRequestError,
    check_names,
    check_required,
    check_texts,
    convert,
    names,
)
from core.retry import DEFAULT_ATTEMPTS, MAX_ATTEMPTS, ONCE, OnDemand, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.flow import Flow

MAX_EXIT_CODE = 255
MIN_STORAGE, MAX_STORAGE = 21, 200
MIN_HEARTBEAT = 300
_MESSAGE, _PROCESSING_TIME, _SIMULATE = "MESSAGE", "PROCESSING_TIME", "SIMULATE"
_RESERVED = f"{NOT_FETCHED} says that a container did not get its code"
_RETRY_ON = (
    f"a list of any of {', '.join(get_args(OnDemand))} and exit codes from 1 to {MAX_EXIT_CODE} "
    f"but {NOT_FETCHED} (0 is a success; {_RESERVED}, and is retried unasked)"
)
# Wording for fields whose types msgspec describes in words that callers do not use.
_WORDING: Mapping[str, str] = {
    "retryOn": _RETRY_ON,
    "command": "a list of text without NUL, whose first word is not empty",
    "environment": "an object whose values are text",
    "memory": (f"whole MiB >= 1, or a list of 1 to {MAX_ATTEMPTS} such numbers, one an attempt"),
    "capacity": f"one of {', '.join(Capacity)}",
    "tags": "an object whose values are text",
}
_MiB = Annotated[int, Meta(ge=1)]


class Simulation(Struct, frozen=True, rename="camel"):
    """A simulated failure, to watch how it is reported.

    Attributes:
        exit_code: the demo worker's exit code in place of a result; 0 for no failure.
    """

    exit_code: Annotated[int, Meta(ge=0, le=MAX_EXIT_CODE)]


class Payload(Struct, frozen=True, rename="camel"):
    """A payload's fields; docs/payload.md describes them.

    Attributes:
        message: free text, handed to the demo's worker.
        processing_time: seconds that the demo's worker works.
        simulate: a failure that the demo's worker simulates.
        memory: MiB, or a list of MiB by attempt.
        input: any JSON value; None for none.
    """

    message: str | UnsetType = UNSET
    processing_time: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    simulate: Simulation | None = None
    task_definition: str | None = None
    container_name: str | None = None
    command: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    environment: dict[str, str] = {}
    cpu: int | None = None
    memory: _MiB | Annotated[list[_MiB], Meta(min_length=1, max_length=MAX_ATTEMPTS)] | None = None
    ephemeral_storage: Annotated[int, Meta(ge=MIN_STORAGE, le=MAX_STORAGE)] | None = field(
        default=None, name="ephemeralStorageGiB"
    )
    capacity: Capacity = Capacity.ON_DEMAND
    tags: dict[str, str] = {}
    input: Any = None
    input_uri: str | None = None
    timeout_seconds: Annotated[int, Meta(ge=1)] | None = None
    start_timeout_seconds: Annotated[int, Meta(ge=1)] | None = None
    heartbeat_seconds: Annotated[int, Meta(ge=MIN_HEARTBEAT)] | None = None
    max_attempts: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] = DEFAULT_ATTEMPTS
    retry_on: frozenset[OnDemand | Annotated[int, Meta(ge=1, le=MAX_EXIT_CODE)]] = frozenset()
    poll_seconds: Annotated[int, Meta(ge=1, le=MAX_POLL_SECONDS)] | None = None

    def policy(self, flow: Flow) -> Policy:
        """Return the retry policy in a flow."""
        return Policy(self.max_attempts, self.retry_on) if flow.is_awaited else ONCE

    @property
    def memory_by_attempt(self) -> tuple[int, ...]:
        """MiB by attempt, the last for every later one; empty for the definition's own."""
        memory = self.memory
        return tuple(memory) if isinstance(memory, list) else (memory,) if memory else ()

    @property
    def shorthand(self) -> dict[str, str]:
        """The variables that the demo's worker reads; defaults are for that worker alone."""
        is_demo = self.command is None and self.task_definition is None
        defaults = {_MESSAGE: "No message provided", _PROCESSING_TIME: "5"} if is_demo else {}
        given: dict[str, str] = {}
        if self.message is not UNSET:
            given[_MESSAGE] = self.message
        if self.processing_time is not UNSET:
            given[_PROCESSING_TIME] = str(self.processing_time)
        if self.simulate:
            given[_SIMULATE] = json.dumps({"exitCode": self.simulate.exit_code})
        return {**defaults, **given}

    def told(self, input_text: str | None) -> dict[str, object]:
        """Return the values that the container gets and that may be long, by field.

        Args:
            input_text: the input's text; None for an input in S3.
        """
        long: dict[str, object] = {
            "message": None if self.message is UNSET else self.message,
            "command": list(self.command or ()),
            "environment": self.environment,
            "input": input_text,
        }
        return {name: value for name, value in long.items() if value}


# Fields that not every flow takes: whether a flow does, and words for those that do.
_ONLY: Mapping[str, tuple[Callable[[Flow], bool], str]] = {
    "maxAttempts": (lambda flow: flow.is_awaited, "the polling and the EventBridge flow take"),
    "retryOn": (lambda flow: flow.is_awaited, "the polling and the EventBridge flow take"),
    "pollSeconds": (
        lambda flow: flow.is_awaited and not flow.has_callback,
        "the polling flow takes",
    ),
    "heartbeatSeconds": (
        lambda flow: flow.takes_result,
        "the DynamoDB and the EventBridge flow take",
    ),
}


def fields(flow: Flow) -> list[str]:
    """Return the names of the fields that a flow takes."""
    return [name for name in names(Payload) if name not in _ONLY or _ONLY[name][0](flow)]


def read(payload: object, flow: Flow) -> Payload:
    """Read a payload's fields, each within its own type and bounds.

    Args:
        payload: the invocation's event, as JSON gave it.
        flow: the payload's flow; it refuses a field whose promise it cannot keep.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    if isinstance(payload, dict):
        check_names(payload, fields(flow), _elsewhere)
        for name, value in payload.items():
            _check_unicode(name, value)
        for name in ("environment", "tags"):
            check_texts(payload.get(name), name)
        if isinstance(failure := payload.get("simulate"), dict):
            check_names(failure, names(Simulation), path="simulate")
            check_required(failure, Simulation, "simulate")
    else:
        _check_unicode("payload", payload)
    given = convert(payload, Payload, _WORDING)
    _check(given)
    return given


def check_seconds(given: Payload, timeout_seconds: int) -> None:
    """Refuse times that are longer than an attempt may take.

    Args:
        given: the payload, as `read` returned it.
        timeout_seconds: how long an attempt may take.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    work = int(given.shorthand.get(_PROCESSING_TIME, 0))
    if given.processing_time is UNSET and work > timeout_seconds:
        expected = f"at least {work} s, which processingTime has by default"
        raise InvalidRequestError("timeoutSeconds", timeout_seconds, expected)
    seconds = {
        "processingTime": work,
        "startTimeoutSeconds": given.start_timeout_seconds,
        "heartbeatSeconds": given.heartbeat_seconds,
    }
    for name, value in seconds.items():
        if value is not None and value > timeout_seconds:
            expected = f"at most timeoutSeconds ({timeout_seconds} s)"
            raise InvalidRequestError(name, value, expected)


def check_length(told: Mapping[str, object], excess: int) -> None:
    """Refuse work whose values do not fit into RunTask's overrides.

    Args:
        told: the values, as `Payload.told` returned them.
        excess: the number of characters that the longest request has above ECS's limit.

    Raises:
        InvalidRequestError: names the field that has to be shorter, and the length that fits.
    """
    if excess <= 0:
        return
    sizes = {name: len(json.dumps(value)) for name, value in told.items()}
    longest = max(sizes, key=lambda name: sizes[name])
    others = " and ".join(name for name in sizes if name != longest)
    spare = sizes[longest] - excess
    expected = f"at most {spare} characters when written as JSON"
    if spare < len('""'):
        all_told = f"it and of {others}" if others else "it"
        expected = f"{excess} characters less of {all_told}, when written as ECS takes it"
    raise InvalidRequestError(longest, told[longest], expected)


def _elsewhere(name: str) -> str:
    """Return which flows take a field that this one refuses; empty for an unknown name."""
    return f"no such field here: only {_ONLY[name][1]} it" if name in _ONLY else ""


def _check_unicode(name: str, value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(name, value, "text without lone surrogates") from None
    except RecursionError:
        # The check of its type reports it.
        return


def _check(given: Payload) -> None:
    """Refuse values of the right type that cannot be used."""
    if NOT_FETCHED in given.retry_on:
        raise InvalidRequestError("retryOn", [NOT_FETCHED], _RETRY_ON)
    if given.simulate and given.simulate.exit_code == NOT_FETCHED:
        expected = f"a whole number from 0 to {MAX_EXIT_CODE} but {NOT_FETCHED} ({_RESERVED})"
        raise InvalidRequestError("simulate.exitCode", NOT_FETCHED, expected)
    if given.message is not UNSET and "\0" in given.message:
        raise InvalidRequestError("message", given.message, "text without NUL")
    if given.input is not None and given.input_uri is not None:
        expected = "no address beside input, for a container has one input"
        raise InvalidRequestError("inputUri", given.input_uri, expected)
