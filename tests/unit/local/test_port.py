from __future__ import annotations

import pytest

from local.endpoint import Endpoint
from local.gateway import Gateway
from local.journal import Journal
from local.port import PortError, listen


def test_port_that_is_taken_meanwhile() -> None:
    """A port that somebody else has taken is named, whoever asks for it and whenever."""
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortError, match=f"Port {port} is taken. .*PORT=0"):
            Endpoint(Gateway(Journal().write), port)
    listen(port).close()
