"""The sizes that Fargate offers: pairs of CPU units, 1,024 for a whole one, and MiB of memory."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SHOWN = 3


class Size(NamedTuple):
    """A task's size.

    Attributes:
        cpu: CPU units.
        memory: MiB.
    """

    cpu: int
    memory: int


def _memories(least: int, most: int, step: int = 1_024) -> range:
    return range(least, most + 1, step)


# The memory that each number of CPU units may have beside it.
MEMORIES: Mapping[int, Sequence[int]] = {
    256: (512, 1_024, 2_048),
    512: _memories(1_024, 4_096),
    1_024: _memories(2_048, 8_192),
    2_048: _memories(4_096, 16_384),
    4_096: _memories(8_192, 30_720),
    8_192: _memories(16_384, 61_440, 4_096),
    16_384: _memories(32_768, 122_880, 8_192),
}
SIZES = tuple(Size(cpu, memory) for cpu, memories in MEMORIES.items() for memory in memories)


def least_cpu(memory: int) -> int | None:
    """Return the fewest CPU units that Fargate pairs with a memory; None if it offers no pair."""
    return min((size.cpu for size in SIZES if size.memory == memory), default=None)


def nearest(memory: int, cpu: int | None = None) -> list[Size]:
    """Return the offered sizes that are nearest to one that is not, smallest first.

    Args:
        memory: MiB that were asked for.
        cpu: CPU units that were asked for; None for any.
    """

    def distance(size: Size) -> tuple[float, Size]:
        beside = 0 if cpu is None else abs(log2(size.cpu) - log2(cpu))
        return abs(log2(size.memory) - log2(memory)) + beside, size

    offered = SIZES if cpu else filter(_is_least, SIZES)
    return sorted(sorted(offered, key=distance)[:_SHOWN])


def _is_least(size: Size) -> bool:
    return size.cpu == least_cpu(size.memory)


def told(sizes: Iterable[Size]) -> str:
    """Return sizes in words."""
    return " or ".join(f"{size.memory} MiB with cpu {size.cpu}" for size in sizes)
