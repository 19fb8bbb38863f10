from __future__ import annotations

from tests.faults.grants import UNUSED, granted, wrong

USED = granted("local") - UNUSED.keys()


def test_reasons_are_for_grants_of_the_template() -> None:
    """Whatever is argued to stay unused is a grant of the template, with an image or without."""
    assert UNUSED.keys() <= granted("local") | granted("")


def test_every_grant_is_used_or_argued() -> None:
    """Nothing is wrong when all grants are used but those that are argued."""
    assert not list(wrong(USED))


def test_unused_grant() -> None:
    """A grant that no scenario uses and nobody argues is named, with what to do."""
    unused = min(USED)
    [found] = wrong(USED - {unused})
    assert found.startswith(f"no scenario uses the grant: {' '.join(unused)}\n")
    assert "drop it from template.yaml, or argue it" in found


def test_argued_grant_that_is_used() -> None:
    """A reason for a grant that a scenario does use is named."""
    argued = min(UNUSED.keys() & granted("local"))
    [found] = wrong(USED | {argued})
    assert found.startswith(f"a scenario uses the grant: {' '.join(argued)}\n")
