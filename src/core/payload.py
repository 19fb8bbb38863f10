"""The payload: validated once here, typed and trusted after."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, NamedTuple, get_args

import msgspec
from msgspec import Meta, Struct

from core.outcome import NOT_FETCHED
from core.polling import MAX_POLL_SECONDS, longest_wait
from core.retry import DEFAULT_ATTEMPTS, MAX_ATTEMPTS, ONCE, OnDemand, Policy
from core.start import DEFAULT_START_SECONDS, LAST_WORD_SECONDS

if TYPE_CHECKING:
    from core.flow import Flow
    from core.job import Job

# No code of ours runs once an execution has timed out, so each keeps this time for itself: to
# stop a late task and to write down how it ended.
RESERVE_SECONDS = 300
MAX_EXIT_CODE = 255
_MAX_SHOWN = 200
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_INDEX = re.compile(r"\[[^]]*\]")
_TYPES = re.compile(r"`(?P<names>[^`]+)`")
# What msgspec calls them, and what people do.
_WORDS = {"int": "a whole number", "str": "text", "object": "an object", "array": "a list"}
_MESSAGE = "MESSAGE"
# The longest that a durable execution can last: 366 days.
_LONGEST = 31_622_400
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


@dataclass(frozen=True, slots=True)
class Work:
    """What an execution was asked to do, with every default filled in.

    Attributes:
        job: what runs.
        timeout_seconds: how long one attempt may take, from its request to its end.
        start_timeout_seconds: how long its container may take to begin, once ECS has its task.
        poll_seconds: fixed interval between checks; None for the growing one.
        policy: how often to try, and after what.
    """

    job: Job
    timeout_seconds: int
    start_timeout_seconds: int
    poll_seconds: int | None = None
    policy: Policy = ONCE


class _Payload(Struct, frozen=True, rename="camel"):
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
    def environment(self) -> dict[str, str]:
        """The variables that the demo worker reads."""
        variables = {_MESSAGE: self.message, "PROCESSING_TIME": str(self.processing_time)}
        if self.simulate:
            variables["SIMULATE"] = json.dumps({"exitCode": self.simulate.exit_code})
        return variables


class _AwaitedPayload(_Payload, frozen=True, rename="camel"):
    max_attempts: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] = DEFAULT_ATTEMPTS
    retry_on: frozenset[OnDemand | Annotated[int, Meta(ge=1, le=MAX_EXIT_CODE)]] = frozenset()

    @property
    def policy(self) -> Policy:
        return Policy(self.max_attempts, self.retry_on)


class _PolledPayload(_AwaitedPayload, frozen=True, rename="camel"):
    poll_seconds: Annotated[int, Meta(ge=1, le=MAX_POLL_SECONDS)] | None = None


def _kind(flow: Flow) -> type[_Payload]:
    if not flow.is_awaited:
        return _Payload
    return _AwaitedPayload if flow.has_callback else _PolledPayload


def parse(payload: object, flow: Flow, execution_timeout: int, default: Job) -> Work:
    """Validate a payload.

    Args:
        payload: the invocation's event, as JSON gave it.
        flow: the flow it is for; `pollSeconds` belongs to polling alone, `maxAttempts` and
            `retryOn` to the flows that wait for their task.
        execution_timeout: the durable functions' ExecutionTimeout, in seconds.
        default: what runs, as far as the payload does not say it.

    Raises:
        InvalidRequestError: names the field, what came and what was expected.
    """
    given = _typed(payload, _kind(flow))
    poll_seconds = given.poll_seconds if isinstance(given, _PolledPayload) else None
    policy = given.policy if isinstance(given, _AwaitedPayload) else ONCE
    limit = _limit(flow, execution_timeout - RESERVE_SECONDS, poll_seconds, policy)
    timeout = given.timeout_seconds
    if limit.seconds < 1:
        whole = f"ExecutionTimeout ({execution_timeout} s) less {RESERVE_SECONDS} s"
        most = _most_attempts(execution_timeout - RESERVE_SECONDS)
        expected = f"at most {most}: the waits between more would take up {whole}"
        raise InvalidRequestError("maxAttempts", policy.max_attempts, expected)
    if timeout is not None and timeout > limit.seconds:
        expected = f"at most {limit.seconds} s, {limit.reason}"
        raise InvalidRequestError("timeoutSeconds", timeout, expected)
    timeout = timeout or min(limit.seconds, execution_timeout - RESERVE_SECONDS)
    _check(given, timeout)
    start = given.start_timeout_seconds or min(DEFAULT_START_SECONDS, timeout)
    job = replace(default, environment=given.environment)
    return Work(job, timeout, start, poll_seconds, policy)


def check_length(work: Work, excess: int) -> None:
    """Refuse work of which RunTask cannot tell its container.

    Args:
        work: as `parse` returned it.
        excess: how many characters its longest request has too many.

    Raises:
        InvalidRequestError: names the field that has to be shorter, and the length that fits.
    """
    if excess > 0:
        text = work.job.environment[_MESSAGE]
        spare = len(json.dumps(text)) - excess
        raise InvalidRequestError(
            "message", text, f"at most {spare} characters when written as JSON"
        )


def _share(seconds: int, policy: Policy) -> int:
    """Return how long each attempt may take if all, with what lies between them, take so long."""
    attempts, left = policy.max_attempts, seconds - policy.longest_backoff
    # Before another attempt lies ECS's last word on a start that was stopped, which may take as
    # long as the attempt itself, and no longer than this.
    share = (left - (attempts - 1) * LAST_WORD_SECONDS) // attempts
    return share if share >= LAST_WORD_SECONDS else left // (2 * attempts - 1)


def _most_attempts(seconds: int) -> int:
    """Return how many attempts, with what lies between them, leave each a second."""
    numbers = range(1, MAX_ATTEMPTS + 1)
    return max((n for n in numbers if _share(seconds, Policy(n)) >= 1), default=1)


class _Limit(NamedTuple):
    seconds: int
    reason: str


def _limit(flow: Flow, execution: int, poll_seconds: int | None, policy: Policy) -> _Limit:
    """How long an attempt may take in a flow, and what sets the limit."""
    if not flow.is_awaited:
        # The container may outlive the execution, which is over once the task is started.
        return _Limit(_LONGEST, "as long as an execution of the other flows could wait")
    attempts = policy.max_attempts
    share = _share(execution, policy)
    checks = share if flow.has_callback else longest_wait(poll_seconds, attempts)
    if checks < share:
        hint = "use a larger pollSeconds or the EventBridge flow, which needs no checks"
        return _Limit(checks, f"what an execution's operations can check ({hint})")
    whole = f"the stack's ExecutionTimeout less {RESERVE_SECONDS} s"
    if attempts > 1:
        whole = f"the share of each of {attempts} attempts, with waits between them, in {whole}"
    return _Limit(share, whole)


def _typed(payload: object, kind: type[_Payload]) -> _Payload:
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


def _check_exit_codes(given: _Payload) -> None:
    """Refuse the one exit code that no work ends with."""
    if isinstance(given, _AwaitedPayload) and NOT_FETCHED in given.retry_on:
        raise InvalidRequestError("retryOn", [NOT_FETCHED], _RETRY_ON)
    if given.simulate and given.simulate.exit_code == NOT_FETCHED:
        expected = f"a whole number from 0 to {MAX_EXIT_CODE} but {NOT_FETCHED} ({_RESERVED})"
        raise InvalidRequestError("simulate.exitCode", NOT_FETCHED, expected)


def _check(given: _Payload, timeout_seconds: int) -> None:
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
