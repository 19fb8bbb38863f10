"""The note that a running system leaves for `make down` and `make env`."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Running:
    """A system that runs.

    Attributes:
        pid: id of its process.
        variables: the variables that a shell exports to use it; empty while it starts.
    """

    pid: int
    variables: Mapping[str, str]


class Note:
    """A file that its writer keeps locked, so that a dead system does not look like a live one.

    The kernel releases a lock when its process ends, however it ends. Each note is a new file, so
    the process whose id is in a locked note wrote it, and did not get that id later.

    The note holds a key, so only its user may read it, and another user's note is not believed.

    Attributes:
        folder: the folder of the note.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._path = folder, folder / "up.json"
        # The files stay open until the process ends: closing a file unlocks it.
        self._locked: list[TextIO] = []

    def take(self) -> bool:
        """Become the only writer until this process ends; return False if another process is."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._locked.append((self.folder / "lock").open("w"))
        return _lock(self._locked[-1], fcntl.LOCK_EX)

    def write(self, variables: Mapping[str, str]) -> None:
        """Write how this process's system is reached; `take` comes first."""
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        # This process makes the file: another user could have an older one open.
        file = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        self._locked.append(file)
        _lock(file, fcntl.LOCK_EX)
        file.write(json.dumps(asdict(Running(os.getpid(), dict(variables)))))
        file.flush()
        draft.replace(self._path)

    def read(self) -> Running | None:
        """Return the running system; None if there is none.

        Raises:
            PermissionError: another user has left a note.
        """
        if not self._path.exists():
            return None
        with self._path.open() as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                raise PermissionError(f"{self._path} is another user's")
            return None if _lock(file, fcntl.LOCK_SH) else Running(**json.load(file))

    def wait(self, seconds: float) -> bool:
        """Wait until the running system has ended; return False if it has not in time."""
        with self._path.open() as file:
            lock = threading.Thread(target=fcntl.flock, args=[file, fcntl.LOCK_SH], daemon=True)
            lock.start()
            lock.join(seconds)
            return not lock.is_alive()


def _lock(file: TextIO, kind: int) -> bool:
    """Lock a file until it is closed; return False if another process holds a lock."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
