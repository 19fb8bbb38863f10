"""The callers: each process has an access key of its own, so its signature shows who calls."""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

# AWS's lengths of a key and its secret.
_KEY_LENGTH, _SECRET_BYTES = 20, 30
_KEY_PREFIX = "LOCAL"


class Caller:
    """A process that calls AWS, with its present work; or a person.

    Attributes:
        name: the function's name, or the group of a task: `family:<family>`; "user" for a person.
        session: name of the role's session: the function's name, or the task's id.
        role: logical id of the template's IAM role whose grants it has, "" for no such role; None
            for a person, who may do everything.
        access_key: AWS_ACCESS_KEY_ID of its environment; random, as the secret is.
        secret: AWS_SECRET_ACCESS_KEY of its environment.
        execution_id: id of the execution that it works for; None if that is not known.
        kill: ends it at once.
        is_dead: whether its requests get no answer any more.
    """

    def __init__(self, name: str, role: str | None) -> None:
        self.name, self.role, self.session = name, role, name
        self.access_key, self.secret = _access_key(), secrets.token_urlsafe(_SECRET_BYTES)
        self.execution_id: str | None = None
        self.kill: Callable[[], None] = lambda: None
        self.is_dead = False
        self._lock = threading.Lock()
        self._calls = 0

    @property
    def credentials(self) -> dict[str, str]:
        """The variables with its keys."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret}

    @property
    def is_person(self) -> bool:
        """Whether it is a person, and no process of the system."""
        return self.role is None

    def begin(self, execution_id: str | None) -> None:
        """Start counting the calls of a new piece of work."""
        with self._lock:
            self.execution_id, self._calls = execution_id, 0

    def count(self) -> int:
        """Return the number of the call that begins, 1 for the first one; 0 for a person's."""
        if self.is_person:
            return 0
        with self._lock:
            self._calls += 1
            return self._calls


def execution_of(started_by: str | None) -> str | None:
    """Return the id of the execution that a task's `startedBy` names; None if it names none."""
    _, _, rest = (started_by or "").partition("/")
    return rest.partition("/")[0] or None


class Callers:
    """All callers by their access keys, each for as long as its sandbox or container is known.

    Attributes:
        person: all people who use this run of the local system, and the system itself.
        app_id: id of programs that sign with a key of their own, for people.
    """

    def __init__(self) -> None:
        self._by_key: WeakValueDictionary[str, Caller] = WeakValueDictionary()
        self.person = self.new("user", None)
        self.app_id = secrets.token_hex(_KEY_LENGTH)

    def new(self, name: str, role: str | None) -> Caller:
        """Return a caller with an access key and a secret of its own; see `Caller`."""
        caller = Caller(name, role)
        self._by_key[caller.access_key] = caller
        return caller

    def get(self, access_key: str) -> Caller | None:
        """Return the caller with that access key; None if the key is not of this run."""
        return self._by_key.get(access_key)

    def is_app(self, app_id: str) -> bool:
        """Whether that is this run's `app_id`."""
        return hmac.compare_digest(app_id.encode(), self.app_id.encode())


def _access_key() -> str:
    letters = base64.b32encode(secrets.token_bytes(_KEY_LENGTH)).decode()
    return (_KEY_PREFIX + letters)[:_KEY_LENGTH]
