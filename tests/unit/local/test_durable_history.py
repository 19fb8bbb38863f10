from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.durable import answers
from local.durable.api import DurableApi

HALF: dict[str, Any] = {"Events": [{"EventId": 1}, {"ChainedInvokeStartedDetails": {}}]}
WHOLE: dict[str, Any] = {"Events": [{"ChainedInvokeStartedDetails": {"FunctionName": "child"}}]}


@pytest.mark.parametrize(
    ("answer", "is_whole"), [(HALF, False), (WHOLE, True), ({"Events": []}, True)]
)
def test_whole(answer: dict[str, Any], *, is_whole: bool) -> None:
    """A history is whole if each chained invoke that it starts names its function."""
    assert answers.is_whole(answer) is is_whole


def test_asked_again() -> None:
    """A history that the runner is about to write is asked for until it is whole."""
    later = [HALF, HALF, WHOLE]

    def ask() -> Any:
        return SimpleNamespace(body=later.pop(0))

    assert DurableApi.whole(cast("Any", SimpleNamespace(body=HALF)), ask).body is WHOLE
    assert not later
