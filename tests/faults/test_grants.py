from __future__ import annotations

from tests.faults.grants import ARGUED, granted, wrong

USED = granted("local") - ARGUED.keys()


def test_reasons_are_for_grants_of_the_template() -> None:
    """Each argued grant is one of the template's, with an image or without."""
    assert ARGUED.keys() <= granted("local") | granted("")


def test_grants_of_the_default_image() -> None:
    """A grant that the local system does not make, as it runs no default image, is argued."""
    assert granted("") - granted("local") <= ARGUED.keys()


def test_every_grant_is_used_or_argued() -> None:
    """The check passes when all grants are used except the argued ones."""
    assert not list(wrong(USED))


def test_unused_grant() -> None:
    """A grant that no scenario uses and nobody argues is named, with what to do."""
    unused = min(USED)
    [found] = wrong(USED - {unused})
    assert found.startswith(f"no scenario uses the grant: {' '.join(unused)}\n")
    assert "drop it from template.yaml, or argue it" in found
