"""template.yaml after AWS's own SAM transform."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import mock

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from pathlib import Path

# Where `sam deploy` would upload code to; the transform takes no folders.
_BUCKET = "artifacts"
_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _NoManagedPolicies:
    """The template writes its policies out, so none has to be looked up."""

    def load(self) -> dict[str, str]:
        return {}


def translate(path: Path, region: str) -> dict[str, Any]:
    """Return a template after the transform, its intrinsic functions still in place.

    A function's `Code.S3Key` is the folder that the template names, relative to the template. The
    same text gives the same object, so nobody may change it.
    """
    return _translated(path.read_text(), region)


@cache
def _translated(text: str, region: str) -> dict[str, Any]:
    template = yaml_parse(text)
    _upload(template["Globals"]["Function"], "CodeUri")
    for resource in template["Resources"].values():
        if key := _CODE.get(resource["Type"]):
            _upload(resource["Properties"], key)
    # The transform asks boto3's environment for the region.
    with mock.patch.dict(os.environ, AWS_DEFAULT_REGION=region):
        translated: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    return translated


def _upload(properties: dict[str, Any], key: str) -> None:
    if key in properties:
        properties[key] = f"s3://{_BUCKET}/{properties[key]}"
