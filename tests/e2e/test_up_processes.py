from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from tests.e2e.up import up
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.e2e.up import Up


def family(up: Up) -> list[psutil.Process]:
    """Return it, and every process that it or one of its processes has started."""
    process = psutil.Process(up.process.pid)
    return [process, *process.children(recursive=True)]


def is_running(process: psutil.Process) -> bool:
    """Whether a process does anything yet; nobody may have asked how it ended."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL ends `make up` with every function and worker, and leaves none of their folders."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with up(tmp_path) as running:
        running.start_work()
        processes = family(running)
        assert list(temporary.iterdir())
        running.end(signal.SIGKILL)
        until(lambda: not any(is_running(process) for process in processes))
        until(lambda: not list(temporary.iterdir()))


def test_listens_to_this_machine_alone(shared: Up) -> None:
    """The system and all its processes listen on 127.0.0.1, and at no other address."""
    shared.start_work()
    addresses = set()
    for process in family(shared):
        with suppress(psutil.NoSuchProcess):
            opened = process.net_connections("tcp")
            addresses |= {c.laddr.ip for c in opened if c.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}
