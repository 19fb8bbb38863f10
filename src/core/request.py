"""The payload: validated once here, typed and trusted after."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.polling import MAX_POLL_SECONDS, longest_wait
from core.record import Flow

# No code of ours runs once an execution has timed out, so each keeps this time for itself: to
# stop a late task and to write down how it ended.
RESERVE_SECONDS = 300
_MAX_SHOWN = 200
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)


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


class Simulation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A failure asked for, to watch how it is reported.

    Attributes:
        exit_code: what the demo worker exits with instead of finishing its work.
    """

    exit_code: Annotated[int, Meta(ge=0, le=255)]


@dataclass(frozen=True, slots=True)
class Work:
    """What an execution was asked to do, with every default filled in.

    Attributes:
        message: free text, handed to the container.
        processing_time: seconds the demo worker works.
        timeout_seconds: how long one attempt may take, from its request to its end.
        poll_seconds: fixed interval between checks; None for the growing one.
        simulate: a failure asked for.
    """

    message: str
    processing_time: int
    timeout_seconds: int
    poll_seconds: int | None = None
    simulate: Simulation | None = None


class _Payload(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    message: str = "No message provided"
    processing_time: Annotated[int, Meta(ge=0)] = 5
    timeout_seconds: Annotated[int, Meta(ge=1)] | None = None
    simulate: Simulation | None = None


class _PolledPayload(_Payload, frozen=True, forbid_unknown_fields=True, rename="camel"):
    poll_seconds: Annotated[int, Meta(ge=1, le=MAX_POLL_SECONDS)] | None = None


def parse(payload: object, flow: Flow, execution_timeout: int) -> Work:
    """Validate a payload.

    Args:
        payload: the invocation's event, as JSON gave it.
        flow: the flow it is for; `pollSeconds` belongs to polling alone.
        execution_timeout: the durable functions' ExecutionTimeout, in seconds.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    given = _typed(payload, _PolledPayload if flow is Flow.POLLING else _Payload)
    poll_seconds = given.poll_seconds if isinstance(given, _PolledPayload) else None
    timeout = given.timeout_seconds
    # The container of the DynamoDB flow may outlive its execution: the record has its deadline.
    longest = execution_timeout - RESERVE_SECONDS
    if flow is Flow.POLLING:
        longest = min(longest, longest_wait(poll_seconds))
    if flow is not Flow.DYNAMODB and timeout is not None and timeout > longest:
        raise InvalidRequestError("timeoutSeconds", timeout, _longest_text(flow, longest))
    work = Work(
        given.message, given.processing_time, timeout or longest, poll_seconds, given.simulate
    )
    _check(work)
    return work


def _typed(payload: object, kind: type[_Payload]) -> _Payload:
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise _explained(payload, str(error), kind) from None


def _explained(payload: object, message: str, kind: type[Struct]) -> InvalidRequestError:
    """Turn msgspec's message into one that also shows the value."""
    located = _PATH.search(message)
    path = located["path"] if located else ""
    complaint = message[: located.start()] if located else message
    value = payload
    for name in filter(None, path.split(".")):
        value = value[name] if isinstance(value, dict) else value
    if unknown := _UNKNOWN.match(complaint):
        name = unknown["name"]
        accepted = Simulation if path else kind
        return InvalidRequestError(
            f"{path}.{name}".lstrip("."),
            value.get(name) if isinstance(value, dict) else value,
            f"one of the fields {', '.join(accepted.__struct_encode_fields__)}",
        )
    expected = complaint.removeprefix("Expected ").partition(", got")[0]
    return InvalidRequestError(path or "payload", value, expected)


def _longest_text(flow: Flow, longest: int) -> str:
    text = f"at most {longest} s, what fits the execution"
    if flow is Flow.POLLING:
        text += "'s timeout and its checks (use the EventBridge flow, which needs none, or a larger"
        text += " pollSeconds)"
    return text


def _check(work: Work) -> None:
    if work.processing_time > work.timeout_seconds:
        raise InvalidRequestError(
            "processingTime",
            work.processing_time,
            f"at most timeoutSeconds ({work.timeout_seconds} s)",
        )
    if "\0" in work.message or not _is_unicode(work.message):
        raise InvalidRequestError("message", work.message, "text without NUL or lone surrogates")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text)} characters)"
