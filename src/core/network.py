"""The network that tasks get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PublicIp = Literal["ENABLED", "DISABLED"]


@dataclass(frozen=True, slots=True)
class Network:
    """Where tasks are in a VPC.

    Attributes:
        subnets: ids, one of which a task gets.
        security_groups: ids, all of which a task gets.
        public_ip: whether tasks get one, their only way out of a public subnet.
    """

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    public_ip: PublicIp
