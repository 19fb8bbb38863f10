"""EventBridge: moto keeps the rules, this package delivers the events."""

from local.events.api import EventsApi
from local.events.bus import Bus
from local.events.delivery import Deliveries, DeliveryError
from local.events.refusals import unsupported
from local.events.schedule import start_schedules
from local.events.targets import Targets

__all__ = [
    "Bus",
    "Deliveries",
    "DeliveryError",
    "EventsApi",
    "Targets",
    "start_schedules",
    "unsupported",
]
