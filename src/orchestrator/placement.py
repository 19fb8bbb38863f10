"""The start of an attempt's task in today's network, however old its execution is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters import ecs, networks
from adapters.errors import AwsRefusedError
from core.launch import Place
from core.network import InvalidNetworkError

if TYPE_CHECKING:
    from adapters.settings import OrchestratorSettings
    from core.launch import Launch
    from core.network import Network
    from core.outcome import FailedToStart


def start(launch: Launch, settings: OrchestratorSettings) -> str | FailedToStart:
    """Start the launch's task; the same launch again starts no second one.

    Returns:
        The task's ARN, or the outcome of having none.

    Raises:
        AwsBusyError: throttled or unanswered; the same launch may be repeated.
        AwsRefusedError: the request is wrong or forbidden, or the network may not be read.
        InvalidNetworkError: the parameter holds no network.
    """
    network = networks.current(settings.network_parameter)
    try:
        return _in(network, launch, settings)
    except AwsRefusedError as refusal:
        # The network in memory may be gone. A refused request has started nothing: it is retried.
        today = _today(settings, refusal)
        if today == network:
            raise
        return _in(today, launch, settings)


def _today(settings: OrchestratorSettings, refusal: AwsRefusedError) -> Network:
    """Return the network as it is now; if it cannot be read, raise the refusal with the reason."""
    try:
        return networks.read(settings.network_parameter)
    except (AwsRefusedError, InvalidNetworkError) as unread:
        both = f"{str(refusal).rstrip('.')}. {unread}"
        raise AwsRefusedError(both, refusal.code, refusal.resource_ids) from unread


def _in(network: Network, launch: Launch, settings: OrchestratorSettings) -> str | FailedToStart:
    names = settings.cluster_arn, settings.table_name, settings.data_bucket
    return ecs.run_task(launch, Place(*names, network))
