"""One change to a template that has been read."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

DROPPED = object()


class Edit(NamedTuple):
    """A part of the template and what stands there instead.

    Attributes:
        what: is wrong after it.
        path: keys and indexes that lead to the part.
        value: stands there instead; `DROPPED` for nothing.
    """

    what: str
    path: tuple[str | int, ...]
    value: object

    def below(self, *path: str | int, name: str = "") -> Edit:
        """Return the edit of a part as that of the whole, in which a path leads to the part."""
        return self._replace(path=(*path, *self.path), what=f"{name}{self.what}")

    def apply(self, whole: Any) -> Any:
        """Return a copy of the whole with the part replaced; the rest is shared."""
        if not self.path:
            return self.value
        copied, (key, *rest) = copy.copy(whole), self.path
        value = self._replace(path=tuple(rest)).apply(whole[key] if rest else None)
        if value is DROPPED:
            del copied[key]
        else:
            copied[key] = value
        return copied
