"""The depth to which JSON from outside is read, so that no reader of it runs out of stack.

Python's own limit counts all present calls, so one reader may take a text that another refuses.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

_DEEPEST = 250
TOO_DEEP = f"JSON that is nested deeper than {_DEEPEST} levels is not read here"
# A text without an end goes on to the end of the input.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


def read(text: str | bytes) -> Any:  # noqa: ANN401 - JSON has no static type
    """Return the value of a JSON text.

    Raises:
        ValueError: the text is no JSON, or is nested too deeply.
    """
    # The json module decodes bytes in the same way.
    text = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if is_too_deep(text):
        raise ValueError(TOO_DEEP)
    return json.loads(text)


def is_too_deep(text: bytes) -> bool:
    """Whether JSON is nested more deeply than it is read here."""
    # Nearly every text has fewer lists and objects than the allowed levels.
    if text.count(b"[") + text.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for mark in _MARKS.finditer(text):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(mark[0], 0)
        if depth > _DEEPEST:
            return True
    return False


def asks_too_deep(request: Request) -> bool:
    """Whether a request's JSON body is nested more deeply than it is read here."""
    is_json = "X-Amz-Target" in request.headers or "json" in request.mimetype
    return is_json and is_too_deep(request.get_data())
