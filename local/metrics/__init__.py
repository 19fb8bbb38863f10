"""CloudWatch's metrics: what functions log of themselves, and what AWS counts of the stack."""

from local.metrics import gauges
from local.metrics.api import MetricsApi
from local.metrics.emf import Datum
from local.metrics.kept import Metrics

__all__ = ["Datum", "Metrics", "MetricsApi", "gauges"]
