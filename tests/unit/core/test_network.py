from __future__ import annotations

import json
from typing import Any

import pytest

from core.network import EXAMPLE, InvalidNetworkError, Network, parse

NAME = "CFN-NetworkParameter-0aB1cD2eF3gH"


def stored(**changes: Any) -> str:
    """Return a parameter's value: the example's, with changes; None leaves a member out."""
    members = json.loads(EXAMPLE) | changes
    return json.dumps({name: value for name, value in members.items() if value is not None})


def test_example() -> None:
    """The example that errors show is a network."""
    expected = Network(("subnet-0a1b2c3d", "subnet-4e5f6a7b"), ("sg-0c1d2e3f",), "ENABLED")
    assert parse(NAME, EXAMPLE) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"subnets": " subnet-0a1b2c3d , subnet-4e5f6a7b "},
            {"subnets": ("subnet-0a1b2c3d", "subnet-4e5f6a7b")},
        ),
        (
            {"securityGroups": "sg-1,sg-2,sg-3,sg-4,sg-5"},
            {"security_groups": ("sg-1", "sg-2", "sg-3", "sg-4", "sg-5")},
        ),
        ({"assignPublicIp": "DISABLED"}, {"public_ip": "DISABLED"}),
        ({"ofAnotherVersion": [1]}, {}),
    ],
    ids=["spaces", "five groups", "private", "a member more"],
)
def test_network(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Ids may have spaces between them, and members that a later version has added are left out."""
    network = parse(NAME, stored(**changes))
    assert {name: getattr(network, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("subnet-0a1b2c3d", "JSON is malformed"),
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ('{"deep": ' + "[" * 4_000, "Expected, for example"),
        (stored(subnets=None), "missing required field `subnets`"),
        (stored(subnets=["subnet-0a1b2c3d"]), "`$.subnets`"),
        (stored(subnets=""), "subnets has ''"),
        (stored(subnets="subnet-0a1b2c3d,"), "subnets has ''"),
        (stored(subnets="vpc-0a1b2c3d"), "subnets has 'vpc-0a1b2c3d', which is no id of the form"),
        (stored(subnets=",".join(["subnet-1"] * 17)), "17 ids, and ECS takes 16 at most"),
        (stored(securityGroups="subnet-0a1b2c3d"), "securityGroups has 'subnet-0a1b2c3d'"),
        (stored(securityGroups="sg-1,sg-2,sg-3,sg-4,sg-5,sg-6"), "6 ids, and ECS takes 5 at most"),
        (stored(assignPublicIp="yes"), "`$.assignPublicIp`"),
    ],
)
def test_no_network(value: str, said: str) -> None:
    """A value that is no network is refused by its parameter's name, with what is wrong with it."""
    with pytest.raises(InvalidNetworkError) as refused:
        parse(NAME, value)
    message = str(refused.value)
    assert NAME in message
    assert said in message
    assert EXAMPLE in message
