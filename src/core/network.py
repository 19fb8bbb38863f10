"""The tasks' network, as a parameter of Systems Manager holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

PublicIp = Literal["ENABLED", "DISABLED"]
EXAMPLE = (
    '{"subnets": "subnet-0a1b2c3d,subnet-4e5f6a7b", "securityGroups": "sg-0c1d2e3f", '
    '"assignPublicIp": "ENABLED"}'
)


class _Ids(NamedTuple):
    """The form and number of one kind of ids that ECS takes.

    Attributes:
        form: the form of one id.
        most: the highest number of ids.
    """

    form: re.Pattern[str]
    most: int


_SUBNETS = _Ids(re.compile(r"subnet-[0-9a-f]+"), 16)
_SECURITY_GROUPS = _Ids(re.compile(r"sg-[0-9a-f]+"), 5)


class InvalidNetworkError(Exception):
    """A parameter does not hold a network; the message names both and what was expected."""


@dataclass(frozen=True, slots=True)
class Network:
    """The place of tasks in a VPC.

    Attributes:
        subnets: ids, one of which a task gets.
        security_groups: ids, all of which a task gets.
        public_ip: whether tasks get a public address, their only way out of a public subnet.
    """

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    public_ip: PublicIp


class _Stored(msgspec.Struct, rename="camel"):
    """The parameter's JSON; old versions read it for a year, and ignore fields unknown to them."""

    subnets: str
    security_groups: str
    assign_public_ip: PublicIp


def parse(name: str, text: str) -> Network:
    """Return the network that a parameter holds.

    Args:
        name: the parameter's name.
        text: the parameter's value.

    Raises:
        InvalidNetworkError: the value is no network.
    """
    try:
        stored = msgspec.json.decode(text, type=_Stored)
        subnets = _ids("subnets", stored.subnets, _SUBNETS)
        groups = _ids("securityGroups", stored.security_groups, _SECURITY_GROUPS)
    except (RecursionError, ValueError) as error:
        raise InvalidNetworkError(
            f"The tasks' network, parameter {name}: {error}. Expected, for example, {EXAMPLE}."
        ) from error
    return Network(subnets, groups, stored.assign_public_ip)


def _ids(member: str, text: str, ids: _Ids) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(","))
    if wrong := [part for part in found if not ids.form.fullmatch(part)]:
        raise ValueError(
            f"{member} has {wrong[0]!r}, which is no id of the form {ids.form.pattern}"
        )
    if len(found) > ids.most:
        raise ValueError(f"{member} has {len(found)} ids, and ECS takes {ids.most} at most")
    return found
