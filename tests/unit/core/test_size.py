from __future__ import annotations

import pytest

from core.size import MEMORIES, SIZES, Size, least_cpu, nearest, told


@pytest.mark.parametrize(
    ("cpu", "least", "most", "count"),
    [
        (256, 512, 2_048, 3),
        (512, 1_024, 4_096, 4),
        (1_024, 2_048, 8_192, 7),
        (2_048, 4_096, 16_384, 13),
        (4_096, 8_192, 30_720, 23),
        (8_192, 16_384, 61_440, 12),
        (16_384, 32_768, 122_880, 12),
    ],
)
def test_memories(cpu: int, least: int, most: int, count: int) -> None:
    """Each number of CPU units goes with Fargate's own memories, and no others."""
    memories = MEMORIES[cpu]
    assert (min(memories), max(memories), len(memories)) == (least, most, count)


@pytest.mark.parametrize(
    ("memory", "cpu"),
    [
        *((512, 256), (2_048, 256), (3_072, 512), (4_096, 512), (5_120, 1_024), (8_192, 1_024)),
        *((9_216, 2_048), (30_720, 4_096), (32_768, 8_192), (61_440, 8_192), (65_536, 16_384)),
        *(
            (122_880, 16_384),
            (0, None),
            (511, None),
            (1_536, None),
            (31_744, None),
            (131_072, None),
        ),
    ],
)
def test_least_cpu(memory: int, cpu: int | None) -> None:
    """A memory takes the fewest CPU units of its pairs; a memory without a pair takes none."""
    assert least_cpu(memory) == cpu


@pytest.mark.parametrize(
    ("memory", "cpu", "sizes"),
    [
        (1_000, None, [(256, 512), (256, 1_024), (256, 2_048)]),
        (31_000, None, [(4_096, 29_696), (4_096, 30_720), (8_192, 32_768)]),
        (10**9, None, [(16_384, 106_496), (16_384, 114_688), (16_384, 122_880)]),
        (512, 512, [(256, 512), (256, 1_024), (512, 1_024)]),
        (4_096, 256, [(256, 2_048), (512, 3_072), (512, 4_096)]),
    ],
)
def test_nearest(memory: int, cpu: int | None, sizes: list[tuple[int, int]]) -> None:
    """A size that Fargate lacks has three nearest ones."""
    assert nearest(memory, cpu) == [Size(*size) for size in sizes]


@pytest.mark.parametrize("size", SIZES)
def test_nearest_to_itself(size: Size) -> None:
    """An offered size is its own nearest one."""
    assert size in nearest(size.memory, size.cpu)


def test_words() -> None:
    """Sizes are written in the words of the payload."""
    assert (
        told([Size(256, 512), Size(512, 1_024)]) == "512 MiB with cpu 256 or 1024 MiB with cpu 512"
    )
