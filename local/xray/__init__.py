"""X-Ray: takes segments, from functions' own SDK too, and tells of the traces that they make."""

from local.xray.api import XRayApi
from local.xray.daemon import Daemon
from local.xray.trace import Trace
from local.xray.traces import Traces

__all__ = ["Daemon", "Trace", "Traces", "XRayApi"]
