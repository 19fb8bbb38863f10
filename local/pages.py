"""The signs by which a request shows that a web page made it.

A browser lets any page send requests to this machine. It adds headers that no page can leave out,
and names the host that the page asked for. Any host's name may be made to lead here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_EVERYWHERE = "origin"
_FETCH = "sec-fetch-"


def strange(host: str | None, names: Iterable[str], own: Collection[str]) -> str | None:
    """Return why a request may be a page's; None if it is not.

    Args:
        host: the host that the request names.
        names: names of its headers.
        own: hosts and ports at which only this server answers.
    """
    for name in names:
        if name.lower() == _EVERYWHERE or name.lower().startswith(_FETCH):
            return f"It has the header {name}, as a browser's requests have. No page is answered."
    if host not in own:
        return f"Its Host is {host}, and this is {' or '.join(own)}."
    return None
