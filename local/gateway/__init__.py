"""The way of every API call: who asks for what, and which faults are made on purpose."""

from local.gateway.callers import Caller, Callers, execution_of
from local.gateway.calls import Call
from local.gateway.gateway import Gateway
from local.gateway.seams import Drop, Kill, Refuse, Seams, Wait

__all__ = [
    "Call",
    "Caller",
    "Callers",
    "Drop",
    "Gateway",
    "Kill",
    "Refuse",
    "Seams",
    "Wait",
    "execution_of",
]
