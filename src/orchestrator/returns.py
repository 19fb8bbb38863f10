"""The return types of the durable steps, each with a serialiser of its own.

A value that the SDK knows, for example a boolean or nothing, has the SDK's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aws_durable_execution_sdk_python.serdes import EXTENDED_TYPES_SERDES, SerDes, SerDesContext

from core.conclusion import Conclusion
from core.launch import Started
from core.outcome import Outcome, from_dict
from core.polling import PollState
from core.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable


class _Plain(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


T = TypeVar("T", bound=_Plain)


@dataclass(frozen=True, slots=True)
class Json(SerDes[T]):
    """A type that writes its own JSON form.

    Attributes:
        read: rebuilds a value from that form.
    """

    read: Callable[[dict[str, Any]], T]

    def serialize(self, value: T, _: SerDesContext) -> str:
        """Write JSON."""
        return _text(value.to_dict())

    def deserialize(self, data: str, _: SerDesContext) -> T:
        """Read JSON."""
        return self.read(json.loads(data))


class Launched(SerDes[Started | Outcome]):
    """A started task, or the outcome of having none; the JSON says which of the two."""

    def serialize(self, value: Started | Outcome, _: SerDesContext) -> str:
        """Write JSON."""
        name = "started" if isinstance(value, Started) else "outcome"
        return _text({name: value.to_dict()})

    def deserialize(self, data: str, _: SerDesContext) -> Started | Outcome:
        """Read JSON.

        Raises:
            ValueError: the JSON is neither.
        """
        match json.loads(data):
            case {"started": started}:
                return Started.from_dict(started)
            case {"outcome": outcome}:
                return from_dict(outcome)
        raise ValueError(f"A step returned neither `started` nor `outcome`: {data}")


class Item(SerDes[Record]):
    """A record, as its item; the SDK's serialiser knows DynamoDB's numbers in it."""

    def serialize(self, value: Record, context: SerDesContext) -> str:
        """Write the item."""
        return EXTENDED_TYPES_SERDES.serialize(value.to_item(), context)

    def deserialize(self, data: str, context: SerDesContext) -> Record:
        """Read the item."""
        return Record.from_item(EXTENDED_TYPES_SERDES.deserialize(data, context))


def _text(plain: dict[str, Any]) -> str:
    """Return JSON text without spaces: Lambda keeps at most 256 KiB for a step."""
    return json.dumps(plain, separators=(",", ":"))


BOOLEAN: SerDes[bool] = EXTENDED_TYPES_SERDES
NOTHING: SerDes[None] = EXTENDED_TYPES_SERDES
RECORD: SerDes[Record] = Item()
LAUNCHED: SerDes[Started | Outcome] = Launched()
OUTCOME: SerDes[Outcome] = Json(from_dict)
CONCLUSION: SerDes[Conclusion] = Json(Conclusion.from_dict)
POLL_STATE: SerDes[PollState] = Json(PollState.from_dict)
