from __future__ import annotations

from typing import Any

import pytest

from core.size import MEMORIES
from local.ecs.size import OFFERED, check_size, container_size, task_size
from local.errors import ApiError

DEFINITION: dict[str, Any] = {
    "Cpu": "256",
    "Memory": "512",
    "ContainerDefinitions": [{"Name": "main", "Memory": 256}, {"Name": "beside"}],
}


@pytest.mark.parametrize(
    ("definition", "overrides", "expected"),
    [
        ({}, {}, ("256", "512", 20)),
        ({"Cpu": "1 vCPU", "Memory": "2 GB"}, {}, ("1024", "2048", 20)),
        ({"Cpu": ".25 vcpu", "Memory": "0.5GB"}, {}, ("256", "512", 20)),
        ({"EphemeralStorage": {"SizeInGiB": 30}}, {}, ("256", "512", 30)),
        ({}, {"cpu": "1024", "memory": "4096"}, ("1024", "4096", 20)),
        (
            {"EphemeralStorage": {"SizeInGiB": 30}},
            {"ephemeralStorage": {"sizeInGiB": 200}},
            ("256", "512", 200),
        ),
    ],
    ids=["own", "by name", "parts", "storage", "asked", "storage asked"],
)
def test_task_size(
    definition: dict[str, Any], overrides: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    """A task has its definition's size, and what its request asks for in its place."""
    size = task_size({**DEFINITION, **definition}, overrides)
    assert (size["cpu"], size["memory"], size["ephemeralStorage"]["sizeInGiB"]) == expected


@pytest.mark.parametrize(
    ("name", "override", "expected"),
    [
        ("main", {}, {"cpu": "0", "memory": "256"}),
        ("beside", {"memory": 512}, {"cpu": "0"}),
        (
            "main",
            {"cpu": 128, "memory": 512, "memoryReservation": 64},
            {"cpu": "128", "memory": "512", "memoryReservation": "64"},
        ),
    ],
    ids=["own", "another's", "asked"],
)
def test_container_size(name: str, override: dict[str, Any], expected: dict[str, str]) -> None:
    """A container shows its definition's limits, and those that its request sets for it alone."""
    [container] = [c for c in DEFINITION["ContainerDefinitions"] if c["Name"] == name]
    overrides = {"containerOverrides": [{"name": "main", **override}]}
    assert container_size(container, overrides) == expected


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"memory": "4096"}, "No Fargate configuration exists for given values: 256 CPU, 4096 m"),
        ({"cpu": "300"}, "No Fargate configuration exists for given values: 300 CPU, 512 memory"),
        ({"cpu": "much"}, "much"),
        ({"ephemeralStorage": {"sizeInGiB": 20}}, "21 to 200"),
        ({"ephemeralStorage": {"sizeInGiB": 201}}, "21 to 200"),
        (
            {"containerOverrides": [{"name": "main", "memory": 513}]},
            "'memory' setting for container 'main' is greater than for task",
        ),
    ],
    ids=["pair", "cpu", "no number", "little storage", "much storage", "large container"],
)
def test_impossible_sizes(overrides: dict[str, Any], complaint: str) -> None:
    """A request for a size that Fargate does not offer is refused in ECS's words."""
    with pytest.raises(ApiError, match=complaint):
        check_size(DEFINITION, overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"cpu": "16384", "memory": "122880", "ephemeralStorage": {"sizeInGiB": 21}},
        {"containerOverrides": [{"name": "main", "memory": 512}]},
    ],
    ids=["own", "largest", "all of the task's"],
)
def test_possible_sizes(overrides: dict[str, Any]) -> None:
    """A request for a size that Fargate offers passes, its largest and a whole task's too."""
    check_size(DEFINITION, overrides)


def test_same_sizes() -> None:
    """The sizes that payloads are held to are those that ECS offers here."""
    known = {cpu: list(memories) for cpu, memories in MEMORIES.items()}
    assert known == {cpu: list(memories) for cpu, memories in OFFERED.items()}
