"""The depth to which JSON from outside is read: nothing that takes it in runs out of stack.

Python's own limit is that of all calls at the moment, so what one reader takes another may not.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

_DEEPEST = 250
TOO_DEEP = f"JSON that is nested deeper than {_DEEPEST} levels is not read here"
# A text whose end is missing goes on to the end of all.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


def read(text: str | bytes) -> Any:  # noqa: ANN401 - JSON has no static type
    """Return what JSON says.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    # As json itself decodes it.
    text = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if is_too_deep(text):
        raise ValueError(TOO_DEEP)
    return json.loads(text)


def is_too_deep(text: bytes) -> bool:
    """Whether JSON is nested deeper than anybody here reads it."""
    # Nearly every text has fewer lists and objects than it may have levels.
    if text.count(b"[") + text.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for mark in _MARKS.finditer(text):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(mark[0], 0)
        if depth > _DEEPEST:
            return True
    return False


def asks_too_deep(request: Request) -> bool:
    """Whether a request whose body is JSON nests it deeper than anybody here reads it."""
    is_json = "X-Amz-Target" in request.headers or "json" in request.mimetype
    return is_json and is_too_deep(request.get_data())
