"""The port at which the local system answers."""

from __future__ import annotations

import errno
import socket


class PortError(OSError):
    """The port cannot be used."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1; port 0 stands for a free one.

    Raises:
        PortError: another program has the port, or this one may not have it.
    """
    try:
        # A port whose connections have just ended is free.
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be used: {error.strerror}"
        raise PortError(f"Port {port} {why}. Choose another; PORT=0 takes a free one.") from error
