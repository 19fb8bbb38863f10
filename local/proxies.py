"""The way to this machine where other hosts are reached through a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = ("127.0.0.1", "localhost")


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which an environment's programs use no proxy for this machine.

    boto3, the AWS CLI, the SAM CLI, requests and curl read the lower-case name if both are set;
    programs in Go read the other one. So this machine is added to both.
    """
    upper, lower = environment.get("NO_PROXY"), environment.get("no_proxy")
    return {"NO_PROXY": _with_this(upper or lower), "no_proxy": _with_this(lower or upper)}


def _with_this(given: str | None) -> str:
    hosts = [host for part in (given or "").split(",") if (host := part.strip())]
    # A `*` means every host, but only if it stands alone.
    if hosts == ["*"]:
        return "*"
    return ",".join([*hosts, *(host for host in _HERE if host not in hosts)])
