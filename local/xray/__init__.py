"""X-Ray: it takes segments, also those of the functions' SDK, and shows their traces."""

from local.xray.api import XRayApi
from local.xray.daemon import Daemon
from local.xray.trace import Trace
from local.xray.traces import Traces

__all__ = ["Daemon", "Trace", "Traces", "XRayApi"]
