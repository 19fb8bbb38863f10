"""A task's size: the template's, or the one that a request asks for instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.ecs.refusal import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNITS, _MIB = 1024, 1024
_AMOUNT = re.compile(r"(?P<number>\d+|\d*\.\d+) ?(?P<unit>vcpu|gb|)", re.IGNORECASE)
_GIVEN_STORAGE, _LEAST_STORAGE, _MOST_STORAGE = 20, 21, 200


def _gib(least: int, most: int, step: int = 1) -> range:
    return range(least * _MIB, most * _MIB + 1, step * _MIB)


# The MiB of memory that Fargate offers, by CPU units.
OFFERED: Mapping[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: _gib(1, 4),
    1024: _gib(2, 8),
    2048: _gib(4, 16),
    4096: _gib(8, 30),
    8192: _gib(16, 60, 4),
    16384: _gib(32, 120, 8),
}


def task_size(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's members `cpu`, `memory` and `ephemeralStorage`.

    Args:
        definition: properties of the AWS::ECS::TaskDefinition.
        overrides: RunTask's overrides.
    """
    own = definition.get("EphemeralStorage", {}).get("SizeInGiB", _GIVEN_STORAGE)
    return {
        "cpu": str(_amount(overrides.get("cpu", definition["Cpu"]), _UNITS)),
        "memory": str(_amount(overrides.get("memory", definition["Memory"]), _MIB)),
        "ephemeralStorage": overrides.get("ephemeralStorage", {"sizeInGiB": int(own)}),
    }


def container_size(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, str]:
    """Return a container's members `cpu`, `memory` and `memoryReservation`.

    Args:
        definition: the container's definition.
        overrides: RunTask's overrides.
    """
    own = _override(definition["Name"], overrides)
    sizes = {
        "cpu": own.get("cpu", definition.get("Cpu", 0)),
        "memory": own.get("memory", definition.get("Memory")),
        "memoryReservation": own.get("memoryReservation", definition.get("MemoryReservation")),
    }
    return {name: str(value) for name, value in sizes.items() if value is not None}


def check_size(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Let a request pass if Fargate offers its size.

    Args:
        definition: properties of the AWS::ECS::TaskDefinition.
        overrides: RunTask's overrides.

    Raises:
        ApiError: Fargate does not offer the size, or a container would be larger than its task.
    """
    size = task_size(definition, overrides)
    cpu, memory = int(size["cpu"]), int(size["memory"])
    if memory not in OFFERED.get(cpu, ()):
        raise invalid(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )
    storage = overrides.get("ephemeralStorage", {}).get("sizeInGiB", _LEAST_STORAGE)
    if not _LEAST_STORAGE <= storage <= _MOST_STORAGE:
        raise invalid(f"ephemeralStorage must be {_LEAST_STORAGE} to {_MOST_STORAGE} GiB")
    for container in definition["ContainerDefinitions"]:
        if int(container_size(container, overrides).get("memory", 0)) > memory:
            name = container["Name"]
            raise invalid(f"'memory' setting for container '{name}' is greater than for task.")


def _override(name: str, overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    told: dict[str, Any] = {}
    for container in overrides.get("containerOverrides", ()):
        if container.get("name") == name:
            told |= container
    return told


def _amount(text: object, whole: int) -> int:
    """Return an amount in CPU units or MiB; ECS also takes whole vCPUs and GB by name."""
    found = _AMOUNT.fullmatch(str(text))
    if not found:
        raise invalid(f"Invalid setting for the task's size: {text}")
    return int(float(found["number"]) * (whole if found["unit"] else 1))
