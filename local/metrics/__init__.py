"""CloudWatch's metrics: those in functions' log lines, and AWS's own about the stack."""

from local.metrics import gauges
from local.metrics.api import MetricsApi
from local.metrics.emf import Datum
from local.metrics.kept import Metrics

__all__ = ["Datum", "Metrics", "MetricsApi", "gauges"]
