"""The delivery of an event to a target: retried, given up, kept in a queue."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.iam.authority import DeniedError
from local.journal import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.account import Send
    from local.clock import Clock
    from local.iam.authority import Authority
    from local.journal import Journal

# EventBridge's limits where a target sets none.
_ATTEMPTS = 185
_AGE = 86400
# EventBridge does not document its intervals. If they double from one second up to this one, both
# limits are reached at the same time.
_LONGEST_DELAY = 480


class DeliveryError(Exception):
    """A target did not take an event.

    Attributes:
        code: EventBridge's error code.
        is_transient: whether a retry may help.
    """

    def __init__(self, code: str, message: str, *, is_transient: bool = True) -> None:
        super().__init__(message)
        self.code, self.is_transient = code, is_transient


@dataclass(frozen=True, slots=True)
class _Delivery:
    rule_arn: str
    target: Mapping[str, Any]
    event: str

    @property
    def payload(self) -> str:
        return str(self.target.get("Input") or self.event)

    def limits(self) -> tuple[int, int]:
        """Return the highest number of retries, and the seconds for them."""
        policy = self.target.get("RetryPolicy") or {}
        attempts = int(policy.get("MaximumRetryAttempts", _ATTEMPTS))
        return attempts, int(policy.get("MaximumEventAgeInSeconds", _AGE))


class Deliveries:
    """Delivers events, each at least once or to the target's dead-letter queue.

    Attributes:
        deliver: hands an event's JSON to a target, given the rule's and the target's ARN; may raise
            DeliveryError.
        pending: number of failed deliveries that have neither succeeded since nor been given up.
    """

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        deliver: Callable[[str, str, bytes], None],
        send: Send,
        authority: Authority,
    ) -> None:
        self._clock, self._journal, self._send = clock, journal, send
        self._authority = authority
        self._lock = threading.Lock()
        self.deliver = deliver
        self.pending = 0

    def begin(self, rule_arn: str, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Deliver an event at once, and retry later if the target does not take it."""
        delivery = _Delivery(rule_arn, target, json.dumps(event))
        try:
            self._try(delivery)
        except DeliveryError as error:
            with self._lock:
                self.pending += 1
            threading.Thread(target=self._go_on, args=[delivery, error], daemon=True).start()

    def _try(self, delivery: _Delivery) -> None:
        arn = delivery.target["Arn"]
        self.deliver(delivery.rule_arn, arn, delivery.payload.encode())
        self._journal.write(Delivery(arn, delivery.event))

    def _go_on(self, delivery: _Delivery, error: DeliveryError) -> None:
        try:
            self._try_again(delivery, error)
        finally:
            with self._lock:
                self.pending -= 1

    def _try_again(self, delivery: _Delivery, error: DeliveryError) -> None:
        attempts, oldest = delivery.limits()
        age = 0.0
        for attempt, delay in enumerate(_delays()):
            if not error.is_transient:
                return self._give_up(delivery, error, attempt)
            if attempt == attempts:
                return self._give_up(delivery, error, attempt, "MaximumRetryAttempts")
            if age + delay > oldest:
                return self._give_up(delivery, error, attempt, "MaximumEventAgeInSeconds")
            if not self._clock.sleep(delay):
                return None
            age += delay
            try:
                return self._try(delivery)
            except DeliveryError as again:
                error = again
        return None

    def _give_up(
        self, delivery: _Delivery, error: DeliveryError, retries: int, limit: str | None = None
    ) -> None:
        queue = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None:
            return
        exhausted = {"EXHAUSTED_RETRY_CONDITION": limit} if limit else {}
        # An event is lost if the queue's policy does not let EventBridge put it there.
        with suppress(DeniedError):
            self._send(
                self._authority.events(delivery.rule_arn),
                queue,
                delivery.payload,
                RULE_ARN=delivery.rule_arn,
                TARGET_ARN=delivery.target["Arn"],
                ERROR_CODE=error.code,
                ERROR_MESSAGE=str(error),
                RETRY_ATTEMPTS=str(retries),
                **exhausted,
            )


def _delays() -> Iterator[float]:
    """Yield the seconds before each retry, without end."""
    return (min(2.0**exponent, _LONGEST_DELAY) for exponent in itertools.count())
