from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from local.xray import Daemon, Traces
from local.xray.segment import Segment
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = b'{"format":"json","version":1}\n'
KNOWN, UNKNOWN = (f"1-581cf771-{n:024x}" for n in range(2))


def document(number: int, **more: Any) -> dict[str, Any]:
    """A segment of a trace that is known."""
    moments = {"start_time": 1, "end_time": 2}
    return {"id": f"{number:016x}", "trace_id": KNOWN, "name": "n", **moments, **more}


@pytest.fixture
def traces() -> Traces:
    """One trace, with one segment."""
    kept = Traces()
    kept.put(Segment.of(document(1)))
    return kept


@pytest.fixture
def send(traces: Traces) -> Iterator[Callable[[bytes], object]]:
    """Return what sends a datagram to a daemon."""
    daemon = Daemon(traces)
    host, _, port = daemon.address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((host, int(port)))
        yield sender.send
    daemon.close()


SUBSEGMENT = document(2, type="subsegment", parent_id=f"{1:016x}")


@pytest.mark.parametrize(
    "header", [HEADER, b'{"format": "json", "version": 1}\n', b'{"version":1,"format":"json"} \n']
)
def test_taken(traces: Traces, send: Callable[[bytes], object], header: bytes) -> None:
    """An SDK's segments of a known trace are kept, however its header is written."""
    send(header + json.dumps(SUBSEGMENT).encode())
    until(lambda: len(traces.segments(KNOWN)) > 1)
    assert traces.segments(KNOWN)[-1].document == SUBSEGMENT


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\n",
        HEADER,
        HEADER + b"{}",
        HEADER + b"\xff",
        HEADER + b"[" * 60_000,
        HEADER + json.dumps(document(3, name="")).encode(),
        HEADER + json.dumps(document(3, trace_id=UNKNOWN)).encode(),
        b"\xff\n" + json.dumps(document(3)).encode(),
        b"[" * 60_000 + b"\n" + json.dumps(document(3)).encode(),
        b'{"format":"xml","version":1}\n' + json.dumps(document(3)).encode(),
        json.dumps(document(3)).encode(),
    ],
)
def test_passed_over(traces: Traces, send: Callable[[bytes], object], datagram: bytes) -> None:
    """A datagram that is no document is ignored, and the next one is taken."""
    send(datagram)
    send(HEADER + json.dumps(SUBSEGMENT).encode())
    until(lambda: len(traces.segments(KNOWN)) > 1)
    assert [segment.id for segment in traces.segments(KNOWN)] == [f"{n:016x}" for n in (1, 2)]
    assert UNKNOWN not in traces


def test_closed(traces: Traces) -> None:
    """A daemon that is closed has given its port back, also where it is closed once more."""
    daemon = Daemon(traces)
    daemon.close()
    daemon.close()
    host, _, port = daemon.address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((host, int(port)))
