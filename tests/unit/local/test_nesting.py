from __future__ import annotations

import json

import pytest

from local.nesting import is_too_deep, read

DEEPEST = 250


def nested(levels: int, inmost: str = "") -> str:
    """JSON of lists, one in the other, and something in the inmost."""
    return "[" * levels + inmost + "]" * levels


@pytest.mark.parametrize("inmost", ["", '"]]"', '"[{[{"', r'"\"[["', r'"\\"', "[], [], {}"])
def test_deepest(inmost: str) -> None:
    """JSON is read down to a depth, whatever its texts hold, and not below."""
    own = "[]" in inmost
    text = nested(DEEPEST - own, inmost)
    assert read(text) == json.loads(text)
    with pytest.raises(ValueError, match=f"deeper than {DEEPEST} levels"):
        read(nested(DEEPEST + 1 - own, inmost))


def test_objects() -> None:
    """Objects count as lists do."""
    assert is_too_deep(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


def test_many_side_by_side() -> None:
    """Many lists and objects side by side are not deep."""
    text = json.dumps([[{}, "[" * 1000]] * 1000)
    assert read(text) == json.loads(text)


@pytest.mark.parametrize("end", ["", "\\", '\\"'])
def test_text_without_an_end(end: str) -> None:
    """A text that does not end is no JSON, however many brackets it holds."""
    with pytest.raises(ValueError, match="Unterminated string"):
        read('["' + "[" * 1000 + end)
