"""How programs reach this machine where others are reached through a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = ("127.0.0.1", "localhost")


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which an environment's programs ask no proxy for this machine.

    boto3, the AWS CLI, the SAM CLI, requests and curl go by the lower-case name if both are set,
    programs in Go by the other; neither kind reads both. So each gets this machine, beside the
    hosts that it has already.
    """
    upper, lower = environment.get("NO_PROXY"), environment.get("no_proxy")
    return {"NO_PROXY": _with_this(upper or lower), "no_proxy": _with_this(lower or upper)}


def _with_this(given: str | None) -> str:
    hosts = [host for part in (given or "").split(",") if (host := part.strip())]
    # It means every host, but only where it stands alone.
    if hosts == ["*"]:
        return "*"
    return ",".join([*hosts, *(host for host in _HERE if host not in hosts)])
