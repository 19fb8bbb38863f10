from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from local.clock import Clock, Flag, Ticks

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ticks() -> Iterator[Ticks]:
    """Ticks that stop with the test."""
    made = Ticks()
    yield made
    made.stop()


@pytest.mark.parametrize("scale", [0.5, 0, -1, float("nan")])
def test_scale(ticks: Ticks, scale: float) -> None:
    """AWS's time passes at least as fast as ours."""
    with pytest.raises(ValueError, match=f"at least 1, not {scale}"):
        Clock(scale, ticks)


def test_one_source(ticks: Ticks) -> None:
    """Clocks of the same ticks keep the proportion of their scales."""
    # Powers of two multiply without rounding: on a machine that stalls both read the same tick.
    slow, fast = Clock(16, ticks), Clock(1_024, ticks)
    assert fast.sleep(5)
    before = slow.passed
    after = fast.passed
    assert 5 <= before * 64 <= after <= slow.passed * 64


def test_stall_counts_once(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours in which the process stood still pass as one tick."""
    clock = Clock(1_000, ticks)
    here = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: here() + 3_600)
    before = clock.passed
    assert clock.sleep(1)
    # A slow machine counts fewer ticks, never more.
    assert clock.passed - before < 3_600


def test_each_moment_is_later(ticks: Ticks) -> None:
    """No two readings of the date are the same, however close they are."""
    clock = Clock(300, ticks)
    moments = [clock.now() for _ in range(1_000)]
    assert moments == sorted(set(moments))


def test_date_of_the_calendar(ticks: Ticks) -> None:
    """A clock with a calendar tells the calendar's date."""
    calendar = Clock(1, ticks)
    clock = Clock(100_000, ticks, calendar)
    assert clock.sleep(1_000)
    assert calendar.now() < clock.now() < calendar.now()


def test_stop_ends_waits(ticks: Ticks) -> None:
    """A wait that the system's stop cuts short says so; one that was waited out does too."""
    clock = Clock(1, ticks)
    assert clock.sleep(0)
    returned: list[bool] = []
    waiting = threading.Thread(target=lambda: returned.append(clock.sleep(3_600)))
    waiting.start()
    ticks.stop()
    waiting.join()
    assert returned == [False]
    assert not clock.sleep(1)


def test_flag(ticks: Ticks) -> None:
    """A flag is waited for until it is raised, and no longer than was said."""
    flag = Flag(Clock(1_000, ticks))
    assert not flag.wait(1)
    raising = threading.Thread(target=flag.set)
    raising.start()
    assert flag.wait()
    assert flag.wait(0)
    raising.join()


def test_call_that_fails(ticks: Ticks, caplog: pytest.LogCaptureFixture) -> None:
    """A call that fails keeps no time from passing, and is logged."""
    clock = Clock(1_000, ticks)
    clock.call_later(1, lambda: 1 / 0)
    assert clock.sleep(2)
    assert "ZeroDivisionError" in caplog.text


def test_cancelled_call(ticks: Ticks) -> None:
    """A call that was cancelled does not come; one that was not comes once."""
    clock = Clock(1_000, ticks)
    called: list[str] = []
    cancel = clock.call_later(1, lambda: called.append("cancelled"))
    clock.call_later(1, lambda: called.append("due"))
    cancel()
    assert clock.sleep(2)
    assert called == ["due"]
