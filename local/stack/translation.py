"""template.yaml after AWS's own SAM transform."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import mock

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml, yaml_parse

from local.errors import TemplateError

if TYPE_CHECKING:
    from pathlib import Path

# The bucket to which `sam deploy` would upload code; the transform takes no folders.
_BUCKET = "artifacts"
_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _NoManagedPolicies:
    """Looks up no managed policy, for the template writes its policies out."""

    def load(self) -> dict[str, str]:
        return {}


def translate(path: Path, region: str) -> dict[str, Any]:
    """Return a template after the transform, its intrinsic functions still in place.

    A function's `Code.S3Key` is the folder that the template names, relative to the template. The
    same text gives the same object, so callers must not change it.

    Raises:
        TemplateError: the file is no template, or one that the transform refuses.
    """
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise TemplateError(f"It is not YAML: {error}") from error
    return _translated(text, region)


@cache
def _translated(text: str, region: str) -> dict[str, Any]:
    template = _parsed(text)
    _upload(template.get("Globals", {}).get("Function", {}), "CodeUri")
    for resource in template["Resources"].values():
        if key := _CODE.get(resource["Type"]):
            _upload(resource.get("Properties", {}), key)
    # The transform takes the Region from boto3's environment.
    with mock.patch.dict(os.environ, AWS_DEFAULT_REGION=region):
        try:
            translated: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
        except InvalidDocumentException as error:
            raise TemplateError(" ".join(cause.message for cause in error.causes)) from error
    return translated


def _parsed(text: str) -> dict[str, Any]:
    try:
        template = yaml_parse(text)
    except yaml.YAMLError as error:
        raise TemplateError(f"It is not YAML: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError("It has no Resources, as every template has.")
    for name, resource in template["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"Its resource {name} has no Type.")
    return template


def _upload(properties: dict[str, Any], key: str) -> None:
    if key in properties:
        properties[key] = f"s3://{_BUCKET}/{properties[key]}"
