from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.errors import TemplateError
from scripts.preflight.kinds import KINDS, VERSIONED, name_of
from scripts.preflight.plan import plan
from tests import template

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.preflight.facts import Plan

# As `sam deploy --guided` writes it.
SAMCONFIG = """\
version = 0.1
[default.deploy.parameters]
stack_name = "mine"
region = "eu-central-1"
parameter_overrides = 'WorkerImage="image"'
"""


def names_in(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The names that a template gives, in the properties that CloudFormation's schema calls so."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(template.REGION, kind).schema
    fixed = {path.rpartition("/")[2] for path in schema.get("createOnlyProperties", ())}
    return {key: value for key, value in properties.items() if key in fixed and "Name" in key}


def test_every_name_is_looked_for(planned: Plan) -> None:
    """Each name that the template gives to a resource is looked for, by CloudFormation's schema."""
    found = {named.logical_id: named for named in planned.named}
    for logical_id, resource in template.translated()["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        for key, value in names_in(kind, properties).items():
            is_of_another = isinstance(value, dict) and "Ref" in value
            assert is_of_another or kind in VERSIONED or name_of(kind, {key: "x"}), logical_id
            assert is_of_another or kind in VERSIONED or found[logical_id].kind in KINDS
    assert {named.kind for named in planned.named} <= set(KINDS)


def test_names_begin_with_the_stack(planned: Plan) -> None:
    """The names are those of the stack that was asked for."""
    assert planned.named
    assert all("demo" in named.name for named in planned.named)
    assert planned.records_table == "demo-callbacks"


@pytest.mark.parametrize(
    ("kind", "properties", "name"),
    [
        ("AWS::S3::Bucket", {"BucketName": "b"}, "b"),
        ("AWS::IAM::Role", {"RoleName": "r"}, "r"),
        ("AWS::SSM::Parameter", {"Name": "p"}, "p"),
        ("AWS::IAM::Role", {}, ""),
        ("AWS::ECS::TaskDefinition", {"Family": "f"}, ""),
        ("AWS::Lambda::LayerVersion", {"LayerName": "l"}, ""),
        ("AWS::Lambda::Alias", {"Name": "live", "FunctionName": "f"}, ""),
        ("AWS::Lambda::Permission", {"FunctionName": "f"}, ""),
    ],
)
def test_name_of(kind: str, properties: dict[str, str], name: str) -> None:
    """A name is one that only one resource may have; versions of a thing share theirs."""
    assert name_of(kind, properties) == name


def test_samconfig(tmp_path: Path) -> None:
    """Parameters and Region are those that `sam deploy` would take from samconfig.toml."""
    samconfig = tmp_path / "samconfig.toml"
    samconfig.write_text(SAMCONFIG)
    planned = plan("demo", template.REGION, template.ACCOUNT, samconfig=samconfig)
    assert (planned.stack, planned.region) == ("demo", "eu-central-1")


def test_own_network(tmp_path: Path) -> None:
    """With subnets of one's own in samconfig.toml the stack makes no VPC."""
    samconfig = tmp_path / "samconfig.toml"
    samconfig.write_text(SAMCONFIG.replace("WorkerImage", "SubnetIds"))
    assert plan("demo", template.REGION, template.ACCOUNT).makes_vpc
    assert not plan("demo", template.REGION, template.ACCOUNT, samconfig=samconfig).makes_vpc


@pytest.mark.parametrize(
    "text",
    [b"stack_name = ", b"default = 1", b"[default]\ndeploy = 'x'", b"\xff", None],
    ids=["no TOML", "no table", "no command", "no text", "no file"],
)
def test_unreadable_samconfig(text: bytes | None, tmp_path: Path) -> None:
    """A samconfig.toml that cannot be read is named."""
    samconfig = tmp_path / "samconfig.toml"
    if text is not None:
        samconfig.write_bytes(text)
    with pytest.raises(TemplateError, match=r"samconfig\.toml"):
        plan("demo", template.REGION, template.ACCOUNT, samconfig=samconfig)
