from __future__ import annotations

import threading

import pytest

from local.clock import Clock


def test_scale() -> None:
    """AWS's seconds pass as much faster as asked for."""
    assert Clock(10).real(28) == pytest.approx(2.8)
    with pytest.raises(ValueError, match=r"not 0\.5"):
        Clock(0.5)


def test_stop_ends_waits() -> None:
    """A wait that the system's stop cuts short says so; one that was waited out does too."""
    clock = Clock(1)
    assert clock.sleep(0)
    returned: list[bool] = []
    waiting = threading.Thread(target=lambda: returned.append(clock.sleep(3_600)))
    waiting.start()
    clock.stop()
    waiting.join()
    assert returned == [False]
