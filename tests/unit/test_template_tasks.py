from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

import pytest

from core.limits import CODE
from core.outcome import NOT_FETCHED
from tests.template import ROOT
from worker import fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.template import Stack


def container(stack: Stack) -> dict[str, Any]:
    """The worker's container definition."""
    [definition] = stack.of_type("AWS::ECS::TaskDefinition").values()
    [worker] = definition["ContainerDefinitions"]
    return dict(worker)


def test_tasks_take_no_connections(stack: Stack) -> None:
    """Tasks accept nothing and open only HTTPS connections."""
    [group] = stack.of_type("AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group
    [egress] = group["SecurityGroupEgress"]
    assert (egress["IpProtocol"], egress["FromPort"], egress["ToPort"]) == ("tcp", 443, 443)


def test_two_zones(stack: Stack) -> None:
    """The subnets lie in different zones, and different parts of the VPC's range."""
    first, second = stack.of_type("AWS::EC2::Subnet").values()
    assert first["AvailabilityZone"] != second["AvailabilityZone"]
    blocks = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in (first, second)]
    assert not blocks[0].overlaps(blocks[1])


@pytest.mark.parametrize("prefix", range(8, 29))
def test_vpc_range(source: dict[str, Any], stack: Stack, prefix: int) -> None:
    """A range is accepted exactly if it is one that AWS takes and both subnets fit into it."""
    pattern = source["Parameters"]["VpcCIDR"]["AllowedPattern"]
    subnets = stack.of_type("AWS::EC2::Subnet").values()
    blocks = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets]
    network = ipaddress.ip_network(f"10.0.0.0/{prefix}")
    fits = prefix >= 16 and network.num_addresses >= sum(block.num_addresses for block in blocks)
    assert bool(re.search(pattern, str(network))) is fits


def test_default_worker(stack: Stack) -> None:
    """By default a public Python image, not as root, fetches the layer that `sam deploy` made."""
    worker = container(stack)
    [layer] = stack.of_type("AWS::Lambda::LayerVersion")
    assert worker["Image"] == "public.ecr.aws/lambda/python:3.13"
    assert worker["User"] == "1000:1000"
    assert {"Name": CODE, "Value": f"${{{layer}}}"} in worker["Environment"]


def test_fetch(stack: Stack) -> None:
    """By default the entry point is the text of src/worker/fetch.py, letter by letter."""
    text = (ROOT / "src" / "worker" / "fetch.py").read_text()
    assert container(stack)["EntryPoint"] == ["python3", "-c", text]


def test_command(deploy: Callable[..., Stack]) -> None:
    """The command is the worker's, by either image, and apart from what fetches the code."""
    for image in ("", "example/worker:1"):
        worker = container(deploy(WorkerImage=image))
        assert worker["Command"] == ["python", "-m", "worker"]


def test_reserved_exit_code() -> None:
    """The code of a container that could not fetch its code is the one that outcomes know."""
    assert fetch.NOT_FETCHED == NOT_FETCHED


def test_own_image(deploy: Callable[..., Stack]) -> None:
    """With WorkerImage nothing is fetched: the image runs as it is, and there is no layer."""
    stack = deploy(WorkerImage="example/worker:1")
    worker = container(stack)
    assert worker["Image"] == "example/worker:1"
    assert not {"EntryPoint", "User"} & set(worker)
    assert CODE not in {variable["Name"] for variable in worker["Environment"]}
    assert not stack.of_type("AWS::Lambda::LayerVersion")
