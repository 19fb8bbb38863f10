"""The X-Ray daemon, as Lambda runs one beside a function: it takes the SDK's segments by UDP.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from local import nesting
from local.xray.segment import UnprocessedError, read

if TYPE_CHECKING:
    from local.xray.traces import Traces

_LARGEST_DATAGRAM, _BUFFER = 2**16, 2**20
_HEADER = {"format": "json", "version": 1}


class Daemon:
    """Listens on a free port of 127.0.0.1, on a thread of its own.

    Any program on this machine may send datagrams. The daemon ignores a datagram that is no
    document, and a document of an unknown trace.

    Attributes:
        address: host and port, for AWS_XRAY_DAEMON_ADDRESS.
    """

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Datagrams without room in the buffer are lost, and many functions may send at once.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more datagrams, and release the port."""
        if self._closed.is_set():
            return
        self._closed.set()
        # An empty datagram wakes the thread.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            self._take(self._socket.recv(_LARGEST_DATAGRAM))

    def _take(self, datagram: bytes) -> None:
        header, _, document = datagram.partition(b"\n")
        try:
            if nesting.read(header) != _HEADER:
                return
            segment = read(document.decode())
        except (ValueError, UnprocessedError):
            return
        if segment.trace_id in self._traces:
            self._traces.put(segment)
