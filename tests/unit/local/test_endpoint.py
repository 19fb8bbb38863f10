from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, cast

from werkzeug.exceptions import ClientDisconnected

from local.endpoint import Endpoint

if TYPE_CHECKING:
    import pytest

    from local.gateway import Gateway


class Impatient:
    """A gateway whose clients go away in the middle of their requests."""

    def answer(self, _environ: object) -> None:
        """Find nobody there."""
        raise ClientDisconnected


def test_client_that_goes_away(capfd: pytest.CaptureFixture[str]) -> None:
    """A client that goes away in the middle of its request costs no traceback."""
    endpoint = Endpoint(cast("Gateway", Impatient()))
    try:
        connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"))
        connection.request("GET", "/")
        assert connection.getresponse().status == http.client.BAD_REQUEST
        connection.close()
    finally:
        endpoint.close()
    assert capfd.readouterr().err == ""
