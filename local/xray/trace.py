"""The trace of an invocation, and its place in it, as in the trace header."""

from __future__ import annotations

import re
import secrets
import threading

HEADER = "X-Amzn-Trace-Id"

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID = re.compile(r"[0-9a-f]{16}")
_SAMPLED = {"0": False, "1": True}


class Trace:
    """The trace of one event's invocations, or of one durable execution's.

    The first invocation is the parent of the later ones.

    Args:
        root: the trace's id.
        parent: id of the first invocation's parent; None if it begins the trace.
        is_sampled: see the attributes.

    Attributes:
        root: the trace's id.
        is_sampled: whether its segments are kept.
    """

    def __init__(self, root: str, parent: str | None, *, is_sampled: bool) -> None:
        self.root, self.is_sampled = root, is_sampled
        self._parent, self._first = parent, ""
        self._lock = threading.Lock()

    @classmethod
    def of(cls, header: str | None, now: float, *, is_traced: bool) -> Trace:
        """Return the trace that a caller's header names, or a new one.

        Args:
            header: `Root=…;Parent=…;Sampled=…`; other parts are ignored.
            now: seconds since 1970.
            is_traced: whether segments are kept if the header does not say it.
        """
        pairs = (part.strip().partition("=") for part in (header or "").split(";"))
        fields = {name: value for name, _, value in pairs}
        root, parent = fields.get("Root", ""), fields.get("Parent", "")
        if not _ROOT.fullmatch(root):
            return cls(f"1-{int(now):08x}-{secrets.token_hex(12)}", None, is_sampled=is_traced)
        is_sampled = _SAMPLED.get(fields.get("Sampled", ""), is_traced)
        return cls(root, parent if _ID.fullmatch(parent) else None, is_sampled=is_sampled)

    def enter(self) -> tuple[str, str | None]:
        """Return the id of an invocation's segment, and its parent's if it has one."""
        with self._lock:
            if self._first:
                return new_id(), self._first
            self._first = new_id()
            return self._first, self._parent

    def child(self) -> Trace:
        """Return the trace of a function that one of its invocations invokes."""
        return Trace(self.root, self._first or self._parent, is_sampled=self.is_sampled)

    def header(self, parent: str) -> str:
        """Return the header for an invocation, given the id of its own segment."""
        return f"Root={self.root};Parent={parent};Sampled={int(self.is_sampled)}"


def new_id() -> str:
    """Return the id of a new segment."""
    return secrets.token_hex(8)
