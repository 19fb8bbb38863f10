from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.errors import TemplateError
from local.greeting import worker_notice
from local.stack import Stack
from local.stack.samconfig import overrides, stack_name
from tests import template

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "given",
    [
        r'"WorkerImage=\"shop/worker:1\" VpcCIDR=10.0.0.0/16"',
        '["WorkerImage=shop/worker:1", "VpcCIDR=10.0.0.0/16"]',
        '"ParameterKey=WorkerImage,ParameterValue=shop/worker:1 VpcCIDR=10.0.0.0/16"',
    ],
)
def test_overrides(tmp_path: Path, given: str) -> None:
    """Parameters of a deployment are read in each form in which samconfig.toml may have them."""
    written = tmp_path / "samconfig.toml"
    written.write_text(f"[default.deploy.parameters]\nparameter_overrides = {given}\n")
    assert overrides(written) == {"WorkerImage": "shop/worker:1", "VpcCIDR": "10.0.0.0/16"}


@pytest.mark.parametrize(
    ("default", "override", "image"),
    [
        ("", "", ""),
        ("shop/worker:1", "", "shop/worker:1"),
        ("", 'parameter_overrides = "WorkerImage=shop/worker:2"', "shop/worker:2"),
        ("shop/worker:1", "parameter_overrides = 'WorkerImage=\"\"'", ""),
    ],
)
def test_image(tmp_path: Path, default: str, override: str, image: str) -> None:
    """The image that a deployment would run is samconfig.toml's, else the template's default."""
    own = template.source()
    own["Parameters"]["WorkerImage"]["Default"] = default
    written = tmp_path / "template.yaml"
    written.write_text(json.dumps(own))
    samconfig = tmp_path / "samconfig.toml"
    samconfig.write_text(f"[default.global.parameters]\nstack_name = 'shop'\n{override}\n")
    assert Stack(written, "http://127.0.0.1:1", samconfig=samconfig).worker_image == image


def test_notice() -> None:
    """A user who has chosen an image for the workers is told that src/worker/ runs in its place."""
    [notice] = worker_notice("shop/worker:1")
    assert notice.startswith("WorkerImage is shop/worker:1")
    assert "src/worker/" in notice
    assert worker_notice("") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[default", "is not TOML"),
        ("", "expected stack_name"),
        ('[default.global.parameters]\nstack_name = ""', "expected stack_name"),
        ("[default.global.parameters]\nstack_name = 5", "not 5"),
    ],
)
def test_no_stack_name(tmp_path: Path, text: str, said: str) -> None:
    """A file that names no stack is refused, and what was expected is named."""
    written = tmp_path / "samconfig.toml"
    written.write_text(text)
    with pytest.raises(TemplateError, match=said):
        stack_name(written)


def test_name_of_the_deployment(tmp_path: Path) -> None:
    """The name that `sam deploy` alone is told wins over the one for all commands."""
    written = tmp_path / "samconfig.toml"
    parameters = "[default.{}.parameters]\nstack_name = '{}'\n"
    written.write_text(parameters.format("global", "one") + parameters.format("deploy", "two"))
    assert stack_name(written) == "two"


@pytest.mark.parametrize("given", ["5", '"A=\'b"', "true"])
def test_overrides_of_no_known_form(tmp_path: Path, given: str) -> None:
    """Parameters in no form that is known are refused, and the form is shown."""
    written = tmp_path / "samconfig.toml"
    written.write_text(f"[default.deploy.parameters]\nparameter_overrides = {given}\n")
    with pytest.raises(TemplateError, match="expected parameter_overrides"):
        overrides(written)
