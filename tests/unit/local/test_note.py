from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.note import Note
from local.program import RefusedError
from local.up import main

if TYPE_CHECKING:
    from pathlib import Path


def test_system_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make down` waits for the end of a system only so long, and fails without it."""
    running = Note(tmp_path)
    assert running.take()
    running.write({})
    monkeypatch.setattr("local.up._PATIENCE", 0.01)
    # The running process is this one, and stays.
    monkeypatch.setattr("os.kill", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["up", "--down", "--folder", str(tmp_path)])
    with pytest.raises(RefusedError, match="has not ended within"):
        main()
