from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from core.network import Network, parse
from local.stack.intrinsics import Intrinsics
from tests import template
from tests.permissions.check import OWN_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.template import Stack

SUBNETS = "subnet-0a1b2c3d,subnet-4e5f6a7b8c9d0e1f2"
GROUPS = "sg-0c1d2e3f"


def network(written: Path, **parameters: str) -> Network:
    """Return the network that the launches of a stack with these parameters read."""
    stack = template.named_stack(template.translated(written), **parameters)
    [parameter] = stack.of_type("AWS::SSM::Parameter").values()
    return parse("network", parameter["Value"])


def made(stack: Stack) -> list[str]:
    """Return the types of what a stack makes in EC2."""
    kinds = (resource["Type"] for resource in stack.resources.values())
    return [kind for kind in kinds if kind.startswith("AWS::EC2::")]


def violated(source: Mapping[str, Any], **given: str) -> list[str]:
    """Return what the template's rules say against these parameters."""
    values = {name: p["Default"] for name, p in source["Parameters"].items()} | given
    # A rule refers to parameters alone.
    filling: Any = Intrinsics(values, {}, None)  # type: ignore[arg-type]
    return [
        assertion["AssertDescription"]
        for rule in source["Rules"].values()
        if filling.fill(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not filling.fill(assertion["Assert"])
    ]


def test_own_vpc(written: Path, stack: Stack) -> None:
    """With the defaults, tasks start in the two subnets and the group that the stack makes."""
    named = template.named_stack(template.translated(written))
    subnets = tuple(named.references.ref(name) for name in stack.of_type("AWS::EC2::Subnet"))
    [group] = stack.of_type("AWS::EC2::SecurityGroup")
    assert len(subnets) == 2
    expected = Network(subnets, (named.references.ref(group),), "ENABLED")
    assert network(written) == network(written, AssignPublicIp="DISABLED") == expected
    assert len(made(stack)) == len(made_by(written))


def made_by(written: Path) -> list[str]:
    """Return the types of all that a template may make in EC2."""
    resources = template.translated(written)["Resources"].values()
    return [r["Type"] for r in resources if r["Type"].startswith("AWS::EC2::")]


@pytest.mark.parametrize("public_ip", ["ENABLED", "DISABLED"])
def test_network_of_ones_own(written: Path, deploy: Callable[..., Stack], public_ip: str) -> None:
    """With subnets and groups given, tasks start in them, and the stack makes nothing in EC2."""
    given = {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS, "AssignPublicIp": public_ip}
    assert made(deploy(**given)) == []
    assert network(written, **given) == Network(tuple(SUBNETS.split(",")), (GROUPS,), public_ip)  # type: ignore[arg-type]


def test_same_beside(deploy: Callable[..., Stack], stack: Stack) -> None:
    """A network of the user's own makes no other difference to a stack."""
    kept = {name for name, r in stack.resources.items() if not r["Type"].startswith("AWS::EC2::")}
    assert deploy(**OWN_NETWORK).resources.keys() == kept


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, None),
        (OWN_NETWORK, None),
        ({"SubnetIds": SUBNETS}, "SecurityGroupIds"),
        ({"SecurityGroupIds": GROUPS}, "SubnetIds"),
    ],
    ids=["neither", "both", "subnets alone", "groups alone"],
)
def test_one_without_the_other(
    source: dict[str, Any], given: dict[str, str], missing: str | None
) -> None:
    """A deployment with subnets but no groups, or the other way round, is refused by name."""
    said = violated(source, **given)
    assert len(said) == (missing is not None)
    assert all(f"{missing} is empty" in text for text in said)


def test_told_by_the_parameter_alone(stack: Stack) -> None:
    """The durable functions know the network's parameter, and nothing else of the network."""
    for function in stack.durable_functions().values():
        told = function["Environment"]["Variables"]
        assert told["NETWORK_PARAMETER"] == "${NetworkParameter}"
        assert not [name for name in told if "SUBNET" in name or "GROUP_ID" in name]


@pytest.mark.parametrize(
    ("parameter", "value", "is_taken"),
    [
        ("SubnetIds", "", True),
        ("SubnetIds", SUBNETS, True),
        ("SubnetIds", ",".join(["subnet-0a1b2c3d"] * 16), True),
        ("SubnetIds", ",".join(["subnet-0a1b2c3d"] * 17), False),
        ("SubnetIds", "subnet-0a1b2c3d, subnet-4e5f6a7b", False),
        ("SubnetIds", "subnet-0a1b2c3d,", False),
        ("SubnetIds", "sg-0c1d2e3f", False),
        ("SecurityGroupIds", "", True),
        ("SecurityGroupIds", ",".join([GROUPS] * 5), True),
        ("SecurityGroupIds", ",".join([GROUPS] * 6), False),
        ("SecurityGroupIds", "default", False),
    ],
)
def test_pattern(source: dict[str, Any], parameter: str, value: str, *, is_taken: bool) -> None:
    """CloudFormation takes those ids that the launch can read, and refuses the others."""
    pattern = source["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.search(pattern, value)) is is_taken
