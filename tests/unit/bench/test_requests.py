from __future__ import annotations

from bench.measurement import Measurement
from bench.requests import MotoRequest, Requests

KEY = "8ad3e7a4-0d4f-4b7e-9d3c-3f6f1a1c2b11"
HASHED = f"task-state#{KEY[:32]}"
MADE = (
    MotoRequest("function", "PutItem", f'{{"Item": {{"executionId": {{"S": "{KEY}"}}}}}}'),
    MotoRequest("function", "GetItem", f'{{"Key": {{"id": {{"S": "{HASHED}"}}}}}}'),
)


def test_anew() -> None:
    """Requests are made again with keys that are new, each as long as the one before."""
    requests = Requests(MADE, frozenset({KEY, HASHED}))
    once, again = requests.anew(), requests.anew()
    for first, made, repeated in zip(MADE, once, again, strict=True):
        assert first.operation == made.operation == repeated.operation
        assert len({first.parameters, made.parameters, repeated.parameters}) == 3
        assert len(first.parameters) == len(made.parameters) == len(repeated.parameters)


def test_rate() -> None:
    """A measurement shows the rate, and each execution's share."""
    measured = Measurement(100, seconds=10, cpu_seconds=5, kibibytes=2000, requests=800)
    assert measured.rate == 10
    assert "each: 50 ms of CPU, 20 KiB, 8.0 requests" in str(measured)
