from __future__ import annotations

import pytest

from core.flow import Flow


@pytest.mark.parametrize(
    ("flow", "is_awaited", "has_callback", "takes_result", "worker_reports_end"),
    [
        (Flow.POLLING, True, False, False, False),
        (Flow.DYNAMODB, False, False, True, True),
        (Flow.EVENTBRIDGE, True, True, True, False),
    ],
)
def test_traits(
    flow: Flow,
    is_awaited: bool,
    has_callback: bool,
    takes_result: bool,
    worker_reports_end: bool,
) -> None:
    """Each flow keeps what its documentation promises of it."""
    assert (flow.is_awaited, flow.has_callback) == (is_awaited, has_callback)
    assert (flow.takes_result, flow.worker_reports_end) == (takes_result, worker_reports_end)


def test_each_flow_is_whole() -> None:
    """A flow with a callback waits, and a worker that reports its end knows its record."""
    for flow in Flow:
        assert flow.is_awaited or not flow.has_callback
        assert flow.takes_result or not flow.worker_reports_end
        assert flow.is_awaited is not flow.worker_reports_end
