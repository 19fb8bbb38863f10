from __future__ import annotations

import re

import pytest

from local.xray import Trace

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
NEW = "1-00000007-"


@pytest.mark.parametrize(
    ("header", "root", "parent", "is_sampled"),
    [
        (f"Root={ROOT};Parent={PARENT};Sampled=0", ROOT, PARENT, False),
        (f"Sampled=1; Parent={PARENT}; Lineage=a:1; Root={ROOT}", ROOT, PARENT, True),
        (f"Root={ROOT}", ROOT, None, True),
        (f"Root={ROOT};Parent=none;Sampled=?", ROOT, None, True),
        (f"Root=1-5759e988;Parent={PARENT};Sampled=0", NEW, None, True),
        (f"{ROOT}", NEW, None, True),
        ("", NEW, None, True),
        (None, NEW, None, True),
    ],
)
def test_header(header: str | None, root: str, parent: str | None, *, is_sampled: bool) -> None:
    """A caller's header names the trace, its place in it and whether it is kept; else a new one."""
    trace = Trace.of(header, 7.9, is_traced=True)
    assert trace.root.startswith(root)
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", trace.root)
    assert trace.is_sampled == is_sampled
    assert trace.enter()[1] == parent


@pytest.mark.parametrize("header", [None, f"Root={ROOT};Sampled=?"])
def test_untraced(header: str | None) -> None:
    """A function that is not traced by itself is traced where its caller is."""
    assert not Trace.of(header, 0, is_traced=False).is_sampled
    assert Trace.of(f"Root={ROOT};Sampled=1", 0, is_traced=False).is_sampled


def test_invocations() -> None:
    """The first invocation hangs on the caller's segment, and the later ones on the first."""
    trace = Trace(ROOT, PARENT, is_sampled=True)
    entered = [trace.enter() for _ in "123"]
    (first, _), *_ = entered
    assert [parent for _, parent in entered] == [PARENT, first, first]
    assert len({own for own, _ in entered}) == 3


def test_child() -> None:
    """An invoked function is below its caller in the same trace, with invocations of its own."""
    trace = Trace(ROOT, None, is_sampled=False)
    first, _ = trace.enter()
    child = trace.child()
    assert (child.root, child.is_sampled) == (ROOT, False)
    begun, parent = child.enter()
    assert parent == first
    assert child.enter()[1] == begun


def test_told() -> None:
    """A function is told the trace, its own segment and whether X-Ray keeps it."""
    told = [Trace(ROOT, None, is_sampled=s).header(PARENT) for s in (True, False)]
    assert told == [f"Root={ROOT};Parent={PARENT};Sampled={s}" for s in "10"]
