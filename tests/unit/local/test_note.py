from __future__ import annotations

import os
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


def test_who_reads_a_note(tmp_path: Path) -> None:
    """The user alone reads a note, and the folder that is made for it, whatever lay there."""
    note = Note(tmp_path / "made")
    assert note.take()
    (tmp_path / "made" / "up.new").touch(mode=0o666)
    note.write({"AWS_SECRET_ACCESS_KEY": "secret"})
    [written] = (tmp_path / "made").glob("up.*")
    assert (written.stat().st_mode & 0o777, written.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_note_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another user's note exports nothing."""
    note = Note(tmp_path)
    assert note.take()
    note.write({"AWS_ENDPOINT_URL": "http://another"})
    me = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: me + 1)
    monkeypatch.setattr("sys.argv", ["up", "--env", "--folder", str(tmp_path)])
    with pytest.raises(RefusedError, match="is another user's"):
        main()
    assert capsys.readouterr().out == ""
