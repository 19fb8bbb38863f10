"""Answers of the local system, held against AWS's own models of its APIs."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.validate import ParamValidator
from typing_extensions import override


def conforming(client: Any, operation: str = "*") -> None:
    """Let a client fail at each answer that is not what AWS's model says.

    That is a member that the model does not have, none where it must have one, or another type.
    """
    event = f"before-parse.*.{operation}"
    client.meta.events.register(event, _check, unique_id="shapes")


def _check(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    shape = operation_model.output_shape
    is_json = "json" in operation_model.service_model.metadata["protocol"]
    if response_dict["status_code"] >= 300 or not is_json or shape is None:
        return
    if not shape.serialization.get("payload"):
        # A null is no member to parsers, either.
        body = json.loads(
            response_dict["body"] or b"{}",
            object_hook=lambda o: {name: value for name, value in o.items() if value is not None},
        )
        faults = _Answers().validate(body, shape)
        assert not faults.has_errors(), f"{operation_model.name}: {faults.generate_report()}"


class _Answers(ParamValidator):  # type: ignore[misc]  # botocore has no types
    """Holds answers to what botocore holds parameters to, and strings to all that AWS says."""

    VALIDATED_METADATA_ATTRS = ParamValidator.VALIDATED_METADATA_ATTRS | {"enum", "pattern"}

    @override
    def _validate_string(self, param: Any, shape: Any, errors: Any, name: str) -> None:
        super()._validate_string(param, shape, errors, name)
        enum, pattern = shape.metadata.get("enum", [param]), shape.metadata.get("pattern", "")
        if param not in enum:
            errors.report(name, "invalid type", param=param, valid_types=enum)
        # Classes of Unicode characters are not known to Python.
        if r"\p{" not in pattern and not re.search(pattern, str(param)):
            errors.report(name, "invalid type", param=param, valid_types=[pattern])

    @override
    def _validate_timestamp(self, param: Any, shape: Any, errors: Any, name: str) -> None:
        self._validate_double(param, shape, errors, name)
