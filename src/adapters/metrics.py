"""Metrics, as lines of the log in CloudWatch's embedded format: no call, no wait."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import EphemeralMetrics

from adapters import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.metrics import Sample


def emit(samples: Iterable[Sample], **about: object) -> None:
    """Write samples at once, one line for all of the same dimensions.

    Args:
        samples: the samples.
        about: further fields of the lines, by which people find an execution.
    """
    lines: defaultdict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        lines[tuple(sample.dimensions.items())].append(sample)
    for dimensions, alike in lines.items():
        write(json.dumps({**about, **_embedded(dict(dimensions), alike)}, separators=(",", ":")))


def write(line: str) -> None:
    """Write a line to the function's log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _embedded(dimensions: Mapping[str, str], samples: Iterable[Sample]) -> Mapping[str, Any]:
    # A service's name would be one more dimension.
    metrics = EphemeralMetrics(service="")
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for sample in samples:
        kind = sample.metric.value
        metrics.add_metric(kind.name, kind.unit, sample.value)
    embedded = metrics.serialize_metric_set()
    embedded["_aws"]["Timestamp"] = int(clock.now().timestamp() * 1_000)
    return embedded
