"""Today's network, kept for a minute: an execution of any age launches into it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters import clock
from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors
from core.network import parse

if TYPE_CHECKING:
    from datetime import datetime

    from core.network import Network

KEPT = timedelta(minutes=1)
# The time of the read and the network, by the parameter's name.
_read: dict[str, tuple[datetime, Network]] = {}


def current(parameter: str) -> Network:
    """Return the network that a parameter holds, or held within the last minute.

    Raises:
        AwsBusyError, AwsRefusedError: the parameter could not be read.
        InvalidNetworkError: the parameter holds something else.
    """
    read_at, network = _read.get(parameter, (None, None))
    if read_at and network and timedelta() <= clock.now() - read_at < KEPT:
        return network
    return read(parameter)


def read(parameter: str) -> Network:
    """Return the network that a parameter holds now; see `current`."""
    forget()
    try:
        with aws_errors():
            answer = client("ssm").get_parameter(Name=parameter)
    except AwsRefusedError as error:
        why = f"The tasks' network, parameter {parameter}, cannot be read: {error}"
        raise AwsRefusedError(why, error.code) from error
    network = parse(parameter, answer["Parameter"]["Value"])
    _read[parameter] = clock.now(), network
    return network


def forget() -> None:
    """Have the next launch read the parameter again."""
    _read.clear()
